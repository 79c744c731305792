"""An example of an application that Sergas monitors: an API and agents, with faults that can be switched on."""
