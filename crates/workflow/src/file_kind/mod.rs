//! File kinds: what a file of a workspace can be, and the JSON Schema of each, for editors.

#[cfg(test)]
mod tests;

/// What a file of a workspace can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A workflow.
    Workflow,
    /// Definitions: entities, events, metrics, policies and so on.
    Definitions,
    /// Tests, `*.test.yaml`.
    Test,
    /// Days off.
    Holidays,
    /// The front matter of a template.
    Template,
}

impl FileKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Workflow,
        Self::Definitions,
        Self::Test,
        Self::Holidays,
        Self::Template,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Workflow => "workflow",
            Self::Definitions => "definitions",
            Self::Test => "test",
            Self::Holidays => "holidays",
            Self::Template => "template",
        }
    }

    /// Its JSON Schema (draft 2020-12), whole in itself. It accepts all that the check accepts, and refuses what can be
    /// seen without knowing the rest of the workspace.
    pub fn json_schema(self) -> &'static str {
        match self {
            Self::Workflow => include_str!("workflow.schema.json"),
            Self::Definitions => include_str!("definitions.schema.json"),
            Self::Test => include_str!("test.schema.json"),
            Self::Holidays => include_str!("holidays.schema.json"),
            Self::Template => include_str!("template.schema.json"),
        }
    }
}
