"""The G1 in MuJoCo, seen through the wires: motors that take commands, sensors that report, a gantry."""
