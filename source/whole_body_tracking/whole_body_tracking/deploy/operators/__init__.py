"""Who tells the controller what to do: a script, a keyboard, the robot's remote control, a web page."""
