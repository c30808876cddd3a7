//! Which addresses a stranger's URL may lead to, held against the address that is connected to.
//!
//! A name is resolved once, its addresses are judged, and the connection goes to one of those: a name that answers
//! differently the second time (DNS rebinding) is not asked a second time. Whoever follows a redirect comes through here
//! again.

use std::{
    error::Error,
    fmt,
    future::Future,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tower_service::Service;

use super::BoxError;

/// IANA's registry of special IPv4 addresses, but for those that are ordinary hosts all the same (AS112); and one that
/// is public and answers only inside a cloud.
/// <https://www.iana.org/assignments/iana-ipv4-special-registry>
const SPECIAL_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // carriers' NAT; metadata of Alibaba Cloud
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // Azure's host, which gives out configuration and certificates
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local; metadata of most clouds
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments; metadata of Oracle Cloud
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relays, given up
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, broadcast
];

/// What is special inside 2000::/3; nothing outside of it is an ordinary host: not ::1, ::ffff:0:0/96 (IPv4 in IPv6),
/// 64:ff9b::/96 and 64:ff9b:1::/48 (NAT64), 100::/64, 5f00::/16, fc00::/7, fe80::/10, fec0::/10, ff00::/8.
/// <https://www.iana.org/assignments/iana-ipv6-special-registry>
const SPECIAL_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments: Teredo, ORCHID, benchmarks
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4: an IPv4 address inside
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Whether an address is an ordinary host of the internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !SPECIAL_V4.iter().any(|(net, length)| (address.to_bits() ^ net.to_bits()) >> (32 - length) == 0)
        }
        IpAddr::V6(address) => {
            let within = |(net, length): &(Ipv6Addr, u32)| (address.to_bits() ^ net.to_bits()) >> (128 - length) == 0;
            within(&GLOBAL_V6) && !SPECIAL_V6.iter().any(within)
        }
    }
}

/// Connects to public addresses only, and to the few others that the operator has named.
#[derive(Debug, Clone)]
pub struct GuardedConnector {
    /// Lower-case hosts with their ports.
    exempt: Arc<[(String, u16)]>,
}

/// No address behind a host is public. It does not say whether there is one: that would be news of the inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotPublic;

impl fmt::Display for NotPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("its host has no public address")
    }
}

impl Error for NotPublic {}

impl GuardedConnector {
    /// `exempt` are hosts, with their ports, that may be at private addresses.
    pub fn new(exempt: &[(String, u16)]) -> Self {
        Self { exempt: exempt.iter().map(|(host, port)| (host.to_ascii_lowercase(), *port)).collect() }
    }

    /// The addresses of a host that may be connected to, at least one.
    async fn addresses(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, NotPublic> {
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        let exempt = self.exempt.iter().any(|(name, its)| *name == host && *its == port);
        let found = lookup_host((host.as_str(), port)).await.map_err(|_| NotPublic)?;
        let found: Vec<SocketAddr> = found.filter(|found| exempt || is_public(found.ip())).collect();
        if found.is_empty() { Err(NotPublic) } else { Ok(found) }
    }

    pub(super) async fn connect(self, uri: Uri) -> Result<TokioIo<TcpStream>, BoxError> {
        let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
        let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in self.addresses(uri.host().unwrap_or_default(), port).await? {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(TokioIo::new(stream)),
                Err(error) => failure = error,
            }
        }
        Err(failure.into())
    }
}

impl Service<Uri> for GuardedConnector {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First and last address of every special range, and their public neighbours.
    #[test]
    fn only_ordinary_hosts_are_public() {
        let special = "0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 100.100.100.200 127.0.0.1 \
                       127.255.255.255 168.63.129.16 169.254.0.0 169.254.169.254 169.254.255.255 172.16.0.0 172.31.255.255 \
                       192.0.0.0 192.0.0.192 192.0.0.255 192.0.2.0 192.0.2.255 192.88.99.1 192.168.0.0 192.168.255.255 \
                       198.18.0.0 198.19.255.255 198.51.100.0 198.51.100.255 203.0.113.0 203.0.113.255 224.0.0.0 \
                       239.255.255.255 240.0.0.0 255.255.255.254 255.255.255.255 \
                       :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1 100::1 \
                       100:0:0:1::1 2001::1 2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff::1 2001:db8::1 2002:7f00:1::1 \
                       2002:808:808::1 3fff::1 3fff:fff:ffff::1 4000::1 5f00::1 fc00::1 fd00:ec2::254 fdff:ffff::1 fe80::1 \
                       febf::1 fec0::1 ff02::1 ff0e::1 1fff::1";
        for text in special.split_whitespace() {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        let public = "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 168.63.129.15 \
                      168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0 \
                      192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0 192.31.196.1 192.175.48.1 198.17.255.255 \
                      198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255 \
                      2000::1 2001:200::1 2001:db7:ffff::1 2001:db9::1 2003::1 2606:4700:4700::1111 2620:4f:8000::1 3ffe::1 \
                      3fff:1000::1";
        for text in public.split_whitespace() {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[tokio::test]
    async fn a_host_is_judged_by_its_addresses_however_it_is_written() {
        let guard = GuardedConnector::new(&[]);
        for host in
            ["127.0.0.1", "localhost", "[::1]", "::ffff:127.0.0.1", "2130706433", "0x7f.1", "0", "169.254.169.254"]
        {
            assert_eq!(guard.addresses(host, 443).await, Err(NotPublic), "{host}");
        }
        assert_eq!(guard.addresses("[2606:4700::1]", 443).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn an_exemption_is_for_one_port_of_one_host() {
        let guard = GuardedConnector::new(&[("Localhost".to_owned(), 8443)]);
        assert!(guard.addresses("LOCALHOST", 8443).await.is_ok());
        assert_eq!(guard.addresses("localhost", 443).await, Err(NotPublic));
        assert_eq!(guard.addresses("127.0.0.1", 8443).await, Err(NotPublic));
    }
}
