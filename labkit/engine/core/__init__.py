"""What every mechanism of the engine stands on."""
