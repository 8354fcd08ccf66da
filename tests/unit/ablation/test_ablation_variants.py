"""Names of variants, and the overrides that the evaluation gets."""

import pytest

from whole_body_tracking.ablation.run import check_variant, parse_command_line
from whole_body_tracking.ablation.variants import Variant, parse_variants

pytestmark = pytest.mark.unit

TASK = "Tracking-Flat-G1-Demo-v0"


def names_and_overrides(*items: str) -> dict[str, tuple[str, ...]]:
    return {variant.name: variant.overrides for variant in parse_variants(items)}


def command_line(*tokens: str):
    return parse_command_line(["--task", TASK, "--max_iterations", "5", "--device", "cpu", *tokens])


def test_presets_by_name():
    assert names_and_overrides("baseline,reward_energy,reward_energy+reward_style") == {
        "baseline": (),
        "reward_energy": ("presets=reward_energy",),
        "reward_energy+reward_style": ("presets=reward_energy,reward_style",),
    }


def test_any_override_may_be_a_variant():
    assert names_and_overrides("slow=agent.algorithm.learning_rate=1e-4 presets=rand_mass") == {
        "slow": ("agent.algorithm.learning_rate=1e-4", "presets=rand_mass")
    }


def test_variants_from_a_file(tmp_path):
    file = tmp_path / "variants.yaml"
    file.write_text(
        "baseline:\nnarrow: [env.rewards.motion_body_pos.params.std=0.2]\nboth: presets=a env.decimation=2\n"
    )
    assert names_and_overrides(str(file)) == {
        "baseline": (),
        "narrow": ("env.rewards.motion_body_pos.params.std=0.2",),
        "both": ("presets=a", "env.decimation=2"),
    }


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["baseline,baseline"], "name of its own"),
        (["a=learning_rate"], "are not overrides"),
        (["a=envv.decimation=2"], "are not overrides"),
        (["../up"], "letters, digits"),
    ],
)
def test_a_wrong_variant_is_refused(items, message):
    with pytest.raises(ValueError, match=message):
        parse_variants(items)


def test_the_evaluation_knows_what_the_policy_needs_and_nothing_of_the_training():
    variant = Variant(
        "all",
        (
            "presets=reward_energy,motion_preview,rand_mass",
            "presets=rand_imu",
            "env.rewards.motion_body_pos.weight=2.0",
            "env.observations.policy.base_lin_vel=None",
            "env.commands.motion.start_sampling=uniform",
            "env.decimation=2",
            "agent.algorithm.gamma=0.98",
            "agent.actor.activation=relu",
        ),
    )
    assert variant.played_overrides == [
        "presets=motion_preview",
        "env.observations.policy.base_lin_vel=None",
        "env.decimation=2",
        "agent.actor.activation=relu",
    ]


def test_every_cell_trains_and_is_evaluated_alike():
    args, plan, variants = command_line(
        "--variants", "baseline", "--seeds", "0", "1", "--num_envs", "64", "physics=mujoco_cpu", "presets=reward_energy"
    )
    (baseline,) = variants
    assert args.seeds == [0, 1] and baseline == Variant("baseline")
    train = plan.train_command(baseline, 1)
    assert " ".join(train[:8]) == f"--task {TASK} --seed 1 --max_iterations 5 --num_envs 64"
    assert train[-2:] == ["physics=mujoco_cpu", "presets=reward_energy"]
    evaluate = plan.evaluate_command(baseline, "run")
    assert "physics=mujoco_cpu" in evaluate and not any("reward_energy" in token for token in evaluate)


def test_overrides_after_the_variants_belong_to_all_of_them():
    _, plan, variants = command_line("--variants", "a=env.decimation=2", "env.episode_length_s=5.0")
    assert [variant.name for variant in variants] == ["a"]
    assert plan.overrides == ("env.episode_length_s=5.0",)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["--seed", "1"], "sets these itself"),
        (["--checkpoint=latest"], "sets these itself"),
        (["--seeds", "1", "1"], "counts once"),
        (["--eval_task", "Tracking-Nowhere"], "Unknown task"),
    ],
)
def test_a_wrong_argument_is_refused(tokens, message):
    with pytest.raises(ValueError, match=message):
        command_line("--variants", "baseline", *tokens)


def test_a_training_without_a_budget_is_refused():
    with pytest.raises(ValueError, match="same budget"):
        parse_command_line(["--task", TASK, "--variants", "baseline"])


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("reward_enrgy", r"Variant 'reward_enrgy' on .*Unknown preset"),
        ("a=env.rewards.motion_bodypos.weight=1", r"Variant 'a' on .*motion_bodypos.*motion_body_pos"),
    ],
)
def test_a_misspelt_variant_is_refused_before_any_training(item, message):
    _, plan, variants = command_line("--variants", item)
    with pytest.raises(ValueError, match=message):
        check_variant(plan, variants[0])
