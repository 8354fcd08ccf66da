"""Definitions of the metrics in a report."""

DEFINITIONS = {
    "mpkpe": "Mean over tracked bodies and steps of the distance between robot and reference in the world frame [m].",
    "r_mpkpe": "The same after re-anchoring the reference at the robot (what the reward sees) [m].",
    "joint_rmse": "Root mean square over joints and steps of the joint position error [deg].",
    "anchor_pos": "Mean distance between robot and reference anchor in the world frame [m].",
    "anchor_ori": "Mean angle between robot and reference anchor in the world frame [deg].",
    "body_ori": "Mean over bodies and steps of the angle between robot and re-anchored reference [deg].",
    "body_lin_vel": "Mean over bodies and steps of the linear velocity error in the world frame [m/s].",
    "body_ang_vel": "Mean over bodies and steps of the angular velocity error in the world frame [rad/s].",
    "body_lin_vel_corr": "Correlation of robot and reference linear velocities over steps, bodies and axes, each about"
    " its own mean, in [-1, 1].",
    "body_ang_vel_corr": "The same for angular velocities.",
    "contact_precision": "Share of the robot's foot contacts, over steps and feet, that the reference has too. A foot"
    " is in contact when the lowest point of its sole is below 2 cm, of robot and reference alike.",
    "contact_recall": "Share of the reference's foot contacts that the robot has too.",
    "contact_offset_ms": "Mean distance in time between a touch-down or lift-off of the reference and the robot's"
    " nearest one of the same foot; those without one within 200 ms are left out [ms].",
    "action_rate": "Root mean square over joints and steps of the change of the raw action.",
    "joint_jerk": "Root mean square over joints and steps of the second difference of joint velocities [rad/s^3].",
    "mean_power": "Mean over steps of |torque * velocity| summed over joints, with the torque of the joint drives at"
    " the end of a step [W].",
    "cost_of_transport": "Energy over weight times the horizontal distance between first and last step; left out below"
    " 0.5 m.",
    "tracking_reward": "Mean over steps of the six tracking terms, as a share of their maximum (weights sum to 5).",
    "success": "Share of rollouts that reached the clip's last frame without a termination of the task"
    " (anchor height off by more than 0.25 m, anchor gravity by more than 0.8, an ankle or wrist height by 0.25 m).",
    "success_lafan1": "Share of rollouts whose pelvis height never was off by more than 0.25 m nor its projected"
    " gravity by more than 0.8 (criterion of the LAFAN1-40 benchmark).",
    "diverged": "Share of rollouts that failed because a number of the robot's state was no longer finite, or beyond a"
    " million. That step counts as a failure and is left out of the means; a rollout that diverges in its first step"
    " has no errors.",
    "completion": "Mean share of the clip's steps, from the start frame on, done before failing under the task's"
    " terminations.",
    "survived_s": "Mean time before failing under the task's terminations, or the whole clip's [s].",
    "normalised_return": "Sum of the six tracking terms over 5 times the clip's steps, nothing counted after a failure"
    " under the LAFAN1-40 criterion.",
    "num_rollouts": "Rollouts that the numbers above are means of.",
}
"""Metrics by name. One that does not exist for any rollout, such as a walking cost while standing, is left out."""
