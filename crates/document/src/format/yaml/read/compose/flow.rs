//! Flow collections step by step.

use super::super::scan::Result;
use super::super::token::Kind;
use super::collection::State;
use super::{Composer, Properties};

impl Composer<'_> {
    pub(super) fn flow_list(&mut self, first: bool) -> Result<()> {
        if first {
            self.peek()?;
            self.skip();
        }
        self.then(State::FlowList { first: false });
        let mut kind = self.peek()?;
        if !first && !matches!(kind, Kind::FlowListEnd) {
            if !matches!(kind, Kind::FlowEntry) {
                return Err(self.unexpected("no ',' or ']' where a flow list goes on"));
            }
            self.skip();
            kind = self.peek()?;
        }
        match kind {
            Kind::FlowListEnd => self.flow_close(),
            Kind::Key => {
                self.open(State::PairKey, self.token.start.at() as u32, &Properties::default())?;
                self.skip();
                Ok(())
            }
            _ => self.node(false, false),
        }
    }

    pub(super) fn flow_map_key(&mut self, first: bool) -> Result<()> {
        if first {
            self.peek()?;
            self.skip();
        }
        let mut kind = self.peek()?;
        if !first && !matches!(kind, Kind::FlowMapEnd) {
            if !matches!(kind, Kind::FlowEntry) {
                return Err(self.unexpected("no ',' or '}' where a flow map goes on"));
            }
            self.skip();
            kind = self.peek()?;
        }
        match kind {
            Kind::FlowMapEnd => self.flow_close(),
            Kind::Key => {
                self.skip();
                self.then(State::FlowMapValue { bare: false });
                if matches!(self.peek()?, Kind::Value | Kind::FlowEntry | Kind::FlowMapEnd) {
                    self.empty();
                    return Ok(());
                }
                self.node(false, false)
            }
            _ => {
                self.then(State::FlowMapValue { bare: true });
                self.node(false, false)
            }
        }
    }

    pub(super) fn flow_map_value(&mut self, bare: bool) -> Result<()> {
        let kind = self.peek()?;
        self.then(State::FlowMapKey { first: false });
        if !bare && matches!(kind, Kind::Value) {
            self.skip();
            if !matches!(self.peek()?, Kind::FlowEntry | Kind::FlowMapEnd) {
                return self.node(false, false);
            }
        }
        self.empty();
        Ok(())
    }

    pub(super) fn pair_key(&mut self) -> Result<()> {
        let kind = self.peek()?;
        self.then(State::PairValue);
        if matches!(kind, Kind::Value | Kind::FlowEntry | Kind::FlowListEnd) {
            // go-yaml drops the token here, so that a pair without a key is an error in what follows.
            self.skip();
            self.empty();
            return Ok(());
        }
        self.node(false, false)
    }

    pub(super) fn pair_value(&mut self) -> Result<()> {
        let kind = self.peek()?;
        self.then(State::PairEnd);
        if matches!(kind, Kind::Value) {
            self.skip();
            if !matches!(self.peek()?, Kind::FlowEntry | Kind::FlowListEnd) {
                return self.node(false, false);
            }
        }
        self.empty();
        Ok(())
    }

    fn flow_close(&mut self) -> Result<()> {
        let end = self.take_notes();
        self.skip();
        self.close(end);
        Ok(())
    }
}
