"""A human body with muscles: mocap onto it, the torques of a motion, and the activations that give them.

The body is MyoFullBody of ``musclemimic-models``, which the extra ``[muscles]`` installs. Nothing here imports a
simulator other than MuJoCo.
"""
