"""What runs on a machine: processes, their streams, the clock, the programs there are."""
