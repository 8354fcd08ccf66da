"""How natural a motion is: a diffusion prior of short windows, and what it and MotionNN say of robots that move."""
