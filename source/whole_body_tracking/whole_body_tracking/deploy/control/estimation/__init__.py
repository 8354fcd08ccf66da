"""What a controller finds out from messages: place and velocity, how late its commands act, what they lead to."""
