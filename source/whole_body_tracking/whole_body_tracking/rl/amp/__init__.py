"""Adversarial motion priors: a discriminator of clips and policy, whose opinion is a part of the reward."""
