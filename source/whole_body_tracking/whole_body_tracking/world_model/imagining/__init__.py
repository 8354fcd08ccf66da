"""The robot and its task as differentiable functions of tensors. No simulator."""
