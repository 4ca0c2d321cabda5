"""The same work done by Phial and by others, in turn, each in a process of its own."""
