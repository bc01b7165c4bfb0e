"""One function per format: the text of a line to a `Record`, or None where it is not of that format.

Each takes (text, near, zone), as `times.read_time` does. The text is cleaned and masked, but for JSON.
"""
