//! What a fuzz target asks of the client of running shops: answers come from memory.

use std::collections::VecDeque;
use std::time::Duration;

use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

use super::executor::HttpExecutor;
use super::rows;
use crate::base::control::Control;
use crate::describe::checkout::{Find, JsonFind, RequestTemplate, StoreValue};
use crate::stores::heeding;

/// Asks a shop which answers with these pieces, and reads the answer in each way that there is; none if it is refused.
pub(crate) fn read_http_answer(pieces: &[&[u8]]) -> Option<String> {
    let pieces = pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| piece.to_vec());
    let connector = FromMemory(pieces.collect());
    let control = Control::default();
    let executor = HttpExecutor::over("http://shop", Duration::from_secs(60), |config| {
        heeding::agent_over(config, connector, &control)
    });
    let mut request = RequestTemplate::parse("POST /buy").ok().flatten()?;
    request.find = vec![Find::parse("token", "value=\"{}\"").ok()?];
    request.json = vec![JsonFind::parse("id", "$..id").ok()?];
    let answer = executor.ask(&request, &|_| StoreValue::Null).ok()?;
    let brief = answer.brief();
    let _ = rows(answer.json.as_ref());
    let read = answer.answer(&request);
    assert_eq!(read.rows.iter().map(Vec::len).collect::<Vec<_>>(), [read.columns.len()]);
    let cookies = executor.cookies();
    executor.set_cookies(&cookies);
    Some(brief)
}

/// Connections over which these pieces come, one at each read.
#[derive(Debug)]
struct FromMemory(VecDeque<Vec<u8>>);

impl Connector for FromMemory {
    type Out = Memory;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Memory>, Error> {
        let (input, output) =
            (details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Memory { pieces: self.0.clone(), buffers: LazyBuffers::new(input, output) }))
    }
}

#[derive(Debug)]
struct Memory {
    pieces: VecDeque<Vec<u8>>,
    buffers: LazyBuffers,
}

impl Transport for Memory {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, _: usize, _: NextTimeout) -> Result<(), Error> {
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        let Some(mut piece) = self.pieces.pop_front() else { return Ok(false) };
        let input = self.buffers.input_append_buf();
        let amount = piece.len().min(input.len());
        input[..amount].copy_from_slice(&piece[..amount]);
        self.buffers.input_appended(amount);
        piece.drain(..amount);
        if !piece.is_empty() {
            self.pieces.push_front(piece);
        }
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        !self.pieces.is_empty()
    }
}
