"""Conversion of recorded tables and foreign files to clips: read, resample, convert."""
