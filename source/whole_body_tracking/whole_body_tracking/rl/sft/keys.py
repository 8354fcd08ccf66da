"""Keys of checkpoints that say how a policy was trained."""

SUPERVISED_KEY = "supervised"
"""Of ``train_sft.py``: what the actions are about, and the numbers of its last round."""
FINE_TUNING_KEY = "fine_tuning"
"""Of PPO from such a policy: the policy that it started from, and how far it is."""
