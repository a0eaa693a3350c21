//! The live tree, once or as a stream. Read from shared statistics: it answers while actors are
//! stuck. Absent: asking any actor anything.

use crate::answer::Answer;
use crate::cx::Cx;
use crate::error::ApiError;
use crate::front::Front;
use crate::limits::{ACTORS_MAX, ACTORS_POLL_MS};
use crate::stream::{Fed, Feed, frame, open_stream};
use crate::wire::system::ActorsAnswer;
use http::StatusCode;
use protector_runtime::introspect::{TreeFilter, render_tree};
use std::sync::Arc;

pub(super) fn list(cx: &Cx) -> Result<Answer, ApiError> {
    let filter = filter(cx)?;
    match cx.query("format") {
        None | Some("json") => Ok(Answer::json(StatusCode::OK, &actors(&cx.front, &filter))),
        Some("text") => {
            let views = cx.front.tree().snapshot(&filter, ACTORS_MAX);
            Ok(Answer::text(render_tree(&views)))
        }
        Some(_) => Err(ApiError::bad("format is json or text")),
    }
}

pub(super) fn stream(cx: &Cx) -> Result<Answer, ApiError> {
    let feed = TreeFeed {
        front: cx.front.clone(),
        filter: filter(cx)?,
    };
    open_stream(cx, feed.now(), feed, ACTORS_POLL_MS)
}

fn filter(cx: &Cx) -> Result<TreeFilter, ApiError> {
    let depth = cx.query("depth").map(str::parse::<usize>).transpose();
    let depth = depth.map_err(|_| ApiError::bad("depth is a number of levels"))?;
    let text = |name| cx.query(name).map(str::to_owned);
    Ok(TreeFilter {
        root: text("root"),
        kind: text("kind"),
        depth,
    })
}

fn actors(front: &Front, filter: &TreeFilter) -> ActorsAnswer {
    let views = front.tree().snapshot(filter, ACTORS_MAX);
    let shown = views
        .iter()
        .map(|view| serde_json::to_value(view).unwrap_or_default());
    ActorsAnswer {
        actors: shown.collect(),
    }
}

struct TreeFeed {
    front: Arc<Front>,
    filter: TreeFilter,
}

impl TreeFeed {
    fn now(&self) -> Fed {
        Fed {
            text: frame(None, "actors", &actors(&self.front, &self.filter)),
            last: false,
        }
    }
}

impl Feed for TreeFeed {
    async fn poll(&mut self) -> Fed {
        self.now()
    }
}
