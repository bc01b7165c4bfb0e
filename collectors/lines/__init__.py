"""Lines that sources print, whatever the kind of target: held, read and put in order."""
