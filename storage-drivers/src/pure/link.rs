//! Commands carried over REST, one request each but for two: volumes sought by tag are shown with
//! their tags (a second list), and a batch on arrays that have none (below REST 2.32) goes one by one.

use async_trait::async_trait;

use super::answer::read;
use super::connection::Connection;
use super::fault::clean;
use super::one_by_one;
use super::request::ask_of;
use crate::flasharray::marks::NAMESPACE;
use crate::link::{ArrayLink, LinkError};
use crate::model::{Answer, Command, Filter, Page, Query, TagRow, VolumeRow};

/// Names in one list of tags: they stand in the URL, which should stay below 4 KiB.
const NAMES_PER_CALL: usize = 60;
/// Looks while volumes are renamed between the list and their tags.
const ROUNDS_MAX: usize = 3;

/// The way to one array.
pub(super) struct RestLink {
    connection: Connection,
}

#[async_trait]
impl ArrayLink for RestLink {
    /// The address is the connection's own.
    async fn call(&self, _array: &str, command: Command) -> Result<Answer, LinkError> {
        match command {
            Command::VolumesGet(query) if query.filter.as_ref().is_some_and(asks_tags) => {
                self.volumes_with_tags(query).await
            }
            Command::VolumesBatchPost { items, overwrite } => {
                if self.connection.version().await?.has_volumes_batch() {
                    return self
                        .plain(&Command::VolumesBatchPost { items, overwrite })
                        .await;
                }
                match overwrite {
                    true => one_by_one::overwrite(self, &items).await,
                    false => one_by_one::copy(self, &items).await,
                }
            }
            other => self.plain(&other).await,
        }
    }
}

fn asks_tags(filter: &Filter) -> bool {
    match filter {
        Filter::Tags { .. } => true,
        Filter::And(parts) | Filter::Or(parts) => parts.iter().any(asks_tags),
        Filter::Not(inner) => asks_tags(inner),
        Filter::Compare { .. } | Filter::In { .. } | Filter::Contains { .. } | Filter::Set(_) => {
            false
        }
    }
}

impl RestLink {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection }
    }

    /// One command, one request.
    pub(super) async fn plain(&self, command: &Command) -> Result<Answer, LinkError> {
        let ask = ask_of(command, self.connection.version().await?)?;
        let response = self.connection.send(&ask).await?;
        read(command, &response)
    }

    pub(super) async fn volumes(&self, command: &Command) -> Result<Page<VolumeRow>, LinkError> {
        match self.plain(command).await? {
            Answer::Volumes(page) => Ok(page),
            _ => Err(nonsense(command)),
        }
    }

    async fn volumes_with_tags(&self, query: Query) -> Result<Answer, LinkError> {
        let command = Command::VolumesGet(query);
        let mut why = String::new();
        for _ in 0..ROUNDS_MAX {
            let mut page = self.volumes(&command).await?;
            match self.tags_add(&mut page.items).await {
                Ok(()) => return Ok(Answer::Volumes(page)),
                // Renamed or destroyed since it was listed.
                Err(LinkError::Refused(error)) => why = clean(&error.to_string()),
                Err(other) => return Err(other),
            }
        }
        Err(LinkError::Unknown(format!(
            "volumes change faster than their tags can be read: {why}"
        )))
    }

    /// Live ones only: nobody asks what a volume in the bin is marked with.
    pub(super) async fn tags_add(&self, rows: &mut [VolumeRow]) -> Result<(), LinkError> {
        let names: Vec<String> = rows
            .iter()
            .filter(|row| !row.destroyed)
            .map(|row| row.name.clone())
            .collect();
        let mut tags: Vec<TagRow> = Vec::new();
        for chunk in names.chunks(NAMES_PER_CALL) {
            tags.extend(self.tags(chunk.to_vec()).await?);
        }
        for row in rows {
            let own = tags
                .iter()
                .filter(|tag| tag.resource.name.eq_ignore_ascii_case(&row.name));
            row.tags = own.map(|tag| tag.tag.clone()).collect();
        }
        Ok(())
    }

    async fn tags(&self, resource_names: Vec<String>) -> Result<Vec<TagRow>, LinkError> {
        let command = Command::TagsGet {
            resource_names,
            namespaces: vec![NAMESPACE.to_owned()],
        };
        match self.plain(&command).await? {
            // Two marks for each of 60 volumes fit a page of any array.
            Answer::Tags(page) if !page.more_items_remaining => Ok(page.items),
            _ => Err(nonsense(&command)),
        }
    }
}

pub(super) fn nonsense(command: &Command) -> LinkError {
    LinkError::Unknown(format!("the answer to {} makes no sense", command.verb()))
}
