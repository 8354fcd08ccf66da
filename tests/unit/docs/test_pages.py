"""All pages: links lead to existing files, and documented container commands name existing services."""

import re
import shlex

import pytest
import yaml
from doc_pages import DOCS, REPOSITORY

pytestmark = pytest.mark.unit

PAGES = [REPOSITORY / "README.md", *sorted(DOCS.glob("*.md"))]


def anchors(text):
    """Names of a page's headings as links spell them."""
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_to_files_and_headings(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        linked = (page.parent / path) if path else page
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked.read_text()), target


def documented_commands():
    """Lines of docs/docker.md's code blocks, continued lines joined, comments dropped."""
    blocks = re.findall(r"```bash\n(.*?)```", (DOCS / "docker.md").read_text(), re.DOTALL)
    joined = re.sub(r"\\\n\s*", "", "".join(blocks))
    return [shlex.split(line, comments=True) for line in joined.splitlines()]


def test_container_commands_name_services_and_scripts_that_exist():
    services = yaml.safe_load((REPOSITORY / "docker" / "compose.yaml").read_text())["services"]
    runs = [words[words.index("run") + 1 :] for words in documented_commands() if "run" in words]
    assert len(runs) > 8
    for words in runs:
        assert set(words) & set(services), words
        for script in [word for word in words if word.startswith("scripts/")]:
            assert (REPOSITORY / script).is_file(), script


def test_a_folder_that_is_mounted_is_made_first():
    """Docker would make it root's, and the container's user could not write to it."""
    mounting = [words for words in documented_commands() if "-v" in words]
    assert mounting and all(words[:3] == ["mkdir", "-p", "out"] for words in mounting)
    assert all(words[words.index("-v") + 1] == "$PWD/out:/out" for words in mounting)
