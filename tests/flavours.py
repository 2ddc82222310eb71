"""What GitHub's and Jupyter's readers of Markdown trip over, looked for in a text."""

import re

# GitHub refuses these, or shows them raw.
FORBIDDEN = ("\\operatorname", "\\newcommand", "\\def", "flalign", "\\href", "\\color{#", "\\tag", "\\label", "\\ref{")
INLINE = {"github": re.compile(r"\$`([^`]*)`\$"), "jupyter": re.compile(r"(?<![\\$])\$([^$\n]+)\$(?!\$)")}
DISPLAYED = {
    "github": re.compile(r"^```math\n(.*?)\n```$", re.DOTALL | re.MULTILINE),
    "jupyter": re.compile(r"^\$\$\n(.*?)\n\$\$$", re.DOTALL | re.MULTILINE),
}


def pitfalls(text, flavour):
    """All that a reader of ``flavour`` would show wrong, each with the place."""
    displayed, inline = (marks[flavour].findall(text) for marks in (DISPLAYED, INLINE))
    found = [word for word in FORBIDDEN if word in text]
    # A blank line ends a formula; a dollar sign would, too.
    found += [each for each in displayed if not each.startswith("\\begin{aligned}") or "\n\n" in each or "$" in each]
    found += [each for each in inline if "|" in each]  # a bar ends the cell of a table
    if flavour == "jupyter":
        found += [each for each in inline if each != each.strip() or "<" in each]  # it would start HTML
    # Every mark is one of a pair: nothing that looks like mathematics is left in the words.
    words = re.sub(r"^```python\n.*?\n```$", "", DISPLAYED[flavour].sub("", text), flags=re.DOTALL | re.MULTILINE)
    left = INLINE[flavour].sub("", words).replace("\\$", "")
    return found + re.findall(r"[^\n]*(?:\$|```|\\[A-Za-z])[^\n]*", left)
