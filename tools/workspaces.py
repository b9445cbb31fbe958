"""Where the state of a pattern on a target is, and what is kept beside it."""

from dataclasses import dataclass
from pathlib import Path

from tools.discovery import ROOT, Pattern


@dataclass(frozen=True)
class Workspace:
    """A pattern on a target; `root` is the checkout, unless a test keeps its deployments elsewhere."""

    pattern: Pattern
    target: str
    root: Path = ROOT

    @property
    def folder(self) -> Path:
        return self.root / ".state" / self.target / self.pattern.name

    @property
    def state(self) -> Path:
        return self.folder / "terraform.tfstate"

    @property
    def identity(self) -> Path:
        """Which instance or account the state belongs to."""
        return self.folder / "identity"

    @property
    def settings(self) -> Path:
        """A person's settings of it: a Terraform variables file."""
        return self.root / "settings" / self.target / f"{self.pattern.name}.tfvars"

    @property
    def deployed_settings(self) -> Path:
        """A copy of those that were deployed last."""
        return self.folder / "settings.tfvars"

    @property
    def backend(self) -> Path:
        """The settings of the S3 backend that has the state, if one has: what BACKEND named."""
        return self.folder / "backend.hcl"

    @property
    def shared(self) -> bool:
        """Whether the state is in an S3 bucket, and not in `state`."""
        return self.backend.exists()

    @property
    def module(self) -> Path:
        """Where Terraform runs: in the folder itself, or in a copy that lies as deep."""
        folder = self.pattern.folder
        within = folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else Path(folder.parent.name, folder.name)
        return self.copies / within if self.shared else folder

    @property
    def copies(self) -> Path:
        return self.folder / "root"

    @property
    def data(self) -> Path:
        return self.folder / "terraform"
