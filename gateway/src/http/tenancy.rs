//! What a request works with: the file's table and prices, or those of its organisation.

use std::sync::Arc;

use super::Gateway;
use crate::{
    admission::{Caller, Limiter},
    dispatch::{Address, RouteTable, Tenant},
    prices::Catalogue,
    refusal::Refusal,
};

pub(super) struct Tenancy {
    pub table: Arc<RouteTable>,
    pub prices: Arc<Catalogue>,
    tenant: Option<Arc<Tenant>>,
}

impl Tenancy {
    /// An organisation that is asleep is woken first.
    ///
    /// # Errors
    /// When it cannot be woken.
    pub async fn of(gateway: &Gateway, caller: Option<&Caller>) -> Result<Self, Refusal> {
        let foreign = caller.filter(|caller| !caller.is_default());
        let Some((administration, caller)) = gateway.administration.as_ref().zip(foreign) else {
            let (table, prices) = (gateway.table.load_full(), gateway.prices.load_full());
            return Ok(Self { table, prices, tenant: None });
        };
        let tenant = administration.tenants.of(&caller.organisation).await?;
        Ok(Self { table: tenant.published.load_full(), prices: tenant.prices.load_full(), tenant: Some(tenant) })
    }

    /// How much may be asked for: what the organisation says, or `of_file`, what the file does.
    pub fn limiter(&self, of_file: Option<Arc<Limiter>>) -> Option<Arc<Limiter>> {
        self.tenant.as_ref().map_or(of_file, |tenant| tenant.limiter.load_full())
    }

    /// Who knows what the table does not.
    pub fn dispatcher<'a>(&'a self, gateway: &'a Gateway) -> &'a Address {
        self.tenant.as_ref().map_or(&gateway.dispatcher, |tenant| &tenant.dispatcher)
    }
}
