"""The doors to the disk, to the network and to other processes."""
