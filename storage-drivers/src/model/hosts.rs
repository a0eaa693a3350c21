//! Hosts and their connections to volumes, as far as attach and detach need them.
//! Absent: host groups, ports, personalities, CHAP.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::answer::{Answer, HostConnectionRow, HostRow, Page, Reference};
use super::array::Array;
use super::error::{
    ArrayError, ErrorItem, Kind, all_or_nothing, item, limit, missing, no_names, taken,
};
use super::mint::Mint;
use super::names;
use super::query::{Query, page};
use super::shelf::Named;

/// Highest LUN of a private connection.
const LUN_MAX: u32 = 4_095;

/// A host that may be connected to volumes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Host {
    pub(super) name: String,
    pub(super) iqns: Vec<String>,
}

impl Named for Host {
    fn name(&self) -> &str {
        &self.name
    }
    fn name_set(&mut self, name: String) {
        self.name = name;
    }
}

/// A host sees a volume under a LUN.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct HostConnection {
    pub(super) host: u64,
    pub(super) volume: u64,
    pub(super) lun: u32,
}

impl Array {
    pub(super) fn connections_of_volume(&self, volume: u64) -> u64 {
        self.connections
            .iter()
            .filter(|c| c.volume == volume)
            .count() as u64
    }

    pub(super) fn is_connected(&self, volume: &str) -> bool {
        self.volumes
            .seq_of(volume)
            .is_some_and(|seq| self.connections_of_volume(seq) > 0)
    }

    pub(super) fn hosts_post(
        &mut self,
        wanted: &[String],
        iqns: &[String],
        mint: &mut Mint,
    ) -> Result<Answer, ArrayError> {
        if wanted.is_empty() {
            return Err(no_names("names"));
        }
        let mut errors: Vec<ErrorItem> = Vec::new();
        for name in wanted {
            errors.extend(names::check(Kind::Host, name));
            if self.hosts.find(name).is_some() {
                errors.push(taken(Kind::Host, name));
            }
        }
        for iqn in iqns {
            if self.hosts.iter().any(|(_, host)| host.iqns.contains(iqn)) {
                errors.push(item("The specified IQN is already in use.", iqn));
            }
        }
        let distinct: BTreeSet<String> = wanted.iter().map(|n| super::shelf::fold(n)).collect();
        if distinct.len() < wanted.len() || (wanted.len() > 1 && !iqns.is_empty()) {
            errors.push(item("Invalid list of hosts.", "names"));
        }
        if (self.hosts.len() + wanted.len()) as u64 > self.settings.hosts_max {
            errors.push(limit(Kind::Host, &self.name));
        }
        all_or_nothing(errors)?;
        let mut rows = Vec::new();
        for name in wanted {
            let seq = mint.seq();
            let host = Host {
                name: name.clone(),
                iqns: iqns.to_vec(),
            };
            self.hosts.insert(seq, host);
            rows.extend(self.host_row(seq));
        }
        Ok(Answer::Hosts(Page::whole(rows)))
    }

    pub(super) fn hosts_delete(&mut self, names: &[String]) -> Result<Answer, ArrayError> {
        let seqs = self.hosts_named(names)?;
        let busy = seqs
            .iter()
            .filter(|seq| self.connections.iter().any(|c| c.host == **seq));
        let errors = busy
            .filter_map(|seq| self.hosts.get(*seq))
            .map(|host| {
                item(
                    "Host cannot be deleted due to existing connections.",
                    &host.name,
                )
            })
            .collect();
        all_or_nothing(errors)?;
        for seq in seqs {
            self.hosts.remove(seq);
        }
        Ok(Answer::Done)
    }

    pub(super) fn hosts_get(&self, query: &Query) -> Result<Answer, ArrayError> {
        let seqs = if query.names.is_empty() {
            self.hosts.iter().map(|(seq, _)| seq).collect()
        } else {
            self.hosts_named(&query.names)?
        };
        let rows = seqs
            .iter()
            .filter_map(|seq| Some(((*seq, 0), self.host_row(*seq)?)))
            .collect();
        Ok(Answer::Hosts(page(rows, query, self.settings.page_max)?))
    }

    fn hosts_named(&self, names: &[String]) -> Result<Vec<u64>, ArrayError> {
        if names.is_empty() {
            return Err(no_names("names"));
        }
        let mut errors = Vec::new();
        let mut seqs = Vec::new();
        for name in names {
            match self.hosts.seq_of(name) {
                Some(seq) => seqs.push(seq),
                None => errors.push(missing(Kind::Host, name)),
            }
        }
        all_or_nothing(errors)?;
        Ok(seqs)
    }

    fn host_row(&self, seq: u64) -> Option<HostRow> {
        let host = self.hosts.get(seq)?;
        Some(HostRow {
            name: host.name.clone(),
            iqns: host.iqns.clone(),
            is_local: true,
            connection_count: self.connections.iter().filter(|c| c.host == seq).count() as u64,
        })
    }

    /// One of the two lists may be long, the other has one entry.
    pub(super) fn host_connections_post(
        &mut self,
        hosts: &[String],
        volumes: &[String],
    ) -> Result<Answer, ArrayError> {
        let pairs = self.connection_pairs(hosts, volumes)?;
        let taken = pairs
            .iter()
            .filter(|pair| self.connection_of(**pair).is_some());
        let errors = taken
            .filter_map(|(_, volume)| self.volumes.get(*volume))
            .map(|volume| item("Connection already exists.", &volume.name))
            .collect();
        all_or_nothing(errors)?;
        for (host, volume) in &pairs {
            let lun = self.lun_free(*host);
            self.connections.push(HostConnection {
                host: *host,
                volume: *volume,
                lun,
            });
        }
        let rows = self.connection_rows(|c| pairs.contains(&(c.host, c.volume)));
        Ok(Answer::HostConnections(Page::whole(rows)))
    }

    pub(super) fn host_connections_delete(
        &mut self,
        hosts: &[String],
        volumes: &[String],
    ) -> Result<Answer, ArrayError> {
        let pairs = self.connection_pairs(hosts, volumes)?;
        let absent = pairs
            .iter()
            .filter(|pair| self.connection_of(**pair).is_none());
        let errors = absent
            .filter_map(|(_, volume)| self.volumes.get(*volume))
            .map(|volume| item("Connection does not exist.", &volume.name))
            .collect();
        all_or_nothing(errors)?;
        self.connections
            .retain(|c| !pairs.contains(&(c.host, c.volume)));
        Ok(Answer::Done)
    }

    pub(super) fn host_connections_get(
        &self,
        hosts: &[String],
        volumes: &[String],
        query: &Query,
    ) -> Result<Answer, ArrayError> {
        let mut errors = Vec::new();
        let absent_hosts = hosts.iter().filter(|name| self.hosts.find(name).is_none());
        errors.extend(absent_hosts.map(|name| missing(Kind::Host, name)));
        let absent_volumes = volumes
            .iter()
            .filter(|name| self.volumes.find(name).is_none());
        errors.extend(absent_volumes.map(|name| missing(Kind::Volume, name)));
        all_or_nothing(errors)?;
        let host_seqs: Vec<u64> = hosts
            .iter()
            .filter_map(|name| self.hosts.seq_of(name))
            .collect();
        let volume_seqs: Vec<u64> = volumes
            .iter()
            .filter_map(|n| self.volumes.seq_of(n))
            .collect();
        let rows = self
            .connection_rows(|c| {
                (hosts.is_empty() || host_seqs.contains(&c.host))
                    && (volumes.is_empty() || volume_seqs.contains(&c.volume))
            })
            .into_iter();
        let keyed = (1..)
            .zip(rows)
            .map(|(index, row)| ((index, 0), row))
            .collect();
        Ok(Answer::HostConnections(page(
            keyed,
            query,
            self.settings.page_max,
        )?))
    }

    fn connection_pairs(
        &self,
        hosts: &[String],
        volumes: &[String],
    ) -> Result<Vec<(u64, u64)>, ArrayError> {
        let host_seqs = self.hosts_named(hosts)?;
        let volume_seqs = self.volumes_live(volumes)?;
        if host_seqs.len() > 1 && volume_seqs.len() > 1 {
            return Err(super::error::refuse(
                "Only one list may be long.",
                "volume_names",
            ));
        }
        let pair = |host: &u64| {
            volume_seqs
                .iter()
                .map(|volume| (*host, *volume))
                .collect::<Vec<_>>()
        };
        Ok(host_seqs.iter().flat_map(pair).collect())
    }

    fn connection_of(&self, (host, volume): (u64, u64)) -> Option<&HostConnection> {
        self.connections
            .iter()
            .find(|c| c.host == host && c.volume == volume)
    }

    fn lun_free(&self, host: u64) -> u32 {
        let held = |lun: u32| {
            self.connections
                .iter()
                .any(|c| c.host == host && c.lun == lun)
        };
        (1..=LUN_MAX).find(|lun| !held(*lun)).unwrap_or(LUN_MAX)
    }

    fn connection_rows(&self, wanted: impl Fn(&HostConnection) -> bool) -> Vec<HostConnectionRow> {
        let meant = self.connections.iter().filter(|c| wanted(c));
        let row = |c: &HostConnection| {
            let volume = self.volumes.get(c.volume)?;
            Some(HostConnectionRow {
                host: Reference::new(&self.hosts.get(c.host)?.name, ""),
                volume: Reference::new(&volume.name, &volume.id),
                lun: c.lun,
            })
        };
        meant.filter_map(row).collect()
    }
}
