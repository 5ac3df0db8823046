"""Settings that the kernel writes."""
