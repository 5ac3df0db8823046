"""The daemon as a whole: configuration, its folders and its processes on the host, disk usage."""
