"""What must hold after every attack, and after this one."""

from __future__ import annotations

from tests.attacks.case import Case
from tests.attacks.drive import Seen


def faults(case: Case, seen: Seen, sandbox: str) -> list[str]:
    """Everything that went other than it must, one sentence each; empty where the sandbox held."""
    gap = case.landlock_gap if sandbox == "landlock" else None
    expected = (gap.outcomes if gap else None) or case.outcomes
    told = gap.told if gap and gap.told is not None else case.told
    found = []
    if seen.error:
        return [f"the grader itself failed:\n{seen.error}"]
    if seen.outcome not in expected:
        found.append(f"outcome {seen.outcome}, expected {sorted(expected)}: {seen.messages}")
    if seen.points:
        found.append(f"{seen.points} points for an attack")
    if seen.sandbox != sandbox:
        found.append(f"it ran behind {seen.sandbox}")
    if case.said and not gap and not any(case.said in message for message in seen.messages):
        found.append(f"the verdict does not say {case.said!r}: {seen.messages}")
    if case.then and seen.first not in {"fail", "crash"}:
        found.append(f"the submission before ended as {seen.first}")
    found += [
        f"it told {name} = {seen.told.get(name)!r}, not {value!r}"
        for name, value in told.items()
        if seen.told.get(name) != value
    ]
    found += [f"a secret came out: {one}" for one in seen.leaked]
    found += [f"a file changed: {path}" for path in seen.changed]
    found += [f"a service was contacted: {one}" for one in seen.contacted]
    found += [f"a process is left: {one}" for one in seen.left]
    found += [f"not harmless to show: {one}" for one in seen.unprintable]
    if case.sibling and seen.sibling != "pass, 100%":
        found.append(f"the honest submission beside it ended as {seen.sibling}")
    return found
