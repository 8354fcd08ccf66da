"""Readers and writer of mocap formats. They leave the file's unit and axes; :func:`..reading.read_mocap` does not."""
