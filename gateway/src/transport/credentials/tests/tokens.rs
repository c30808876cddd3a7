//! Tokens of Google and Entra.

use std::path::Path;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ring::signature;
use serde_json::{Value, json};

use super::*;
use crate::{
    config::{Entra, GoogleSource},
    secret::Secret,
};

const TOKEN: &str = r#"{"access_token":"canary-token","expires_in":3599,"token_type":"Bearer"}"#;
/// Made for these tests with openssl.
const KEY: &str = include_str!("rsa.pem");

async fn bearer(credentials: &Credentials, variables: &[(&str, &str)]) -> Result<String, String> {
    let headers = with(credentials, &around(variables)).await.map_err(|refusal| {
        assert!(!refusal.message.contains("canary") && !refusal.message.contains("127.0.0.1"), "{}", refusal.message);
        refusal.message.into_owned()
    })?;
    assert!(headers["authorization"].is_sensitive());
    Ok(headers["authorization"].to_str().unwrap().to_owned())
}

fn google(path: &Path, file: &Value) -> Credentials {
    std::fs::write(path, file.to_string()).unwrap();
    Credentials::Google(GoogleSource::File(path.to_owned()))
}

#[tokio::test]
async fn a_service_account_signs_a_statement() {
    let endpoint = StandIn::new(vec![("POST /token ", 200, TOKEN.to_owned())]).await;
    let folder = tempfile::tempdir().unwrap();
    let uri = format!("{}/token", endpoint.url());
    let file = json!({"type": "service_account", "client_email": "a@b.c", "private_key": KEY, "private_key_id": "k1", "token_uri": uri});
    let credentials = google(&folder.path().join("sa.json"), &file);
    assert_eq!(bearer(&credentials, &[]).await.unwrap(), "Bearer canary-token");
    let asked = endpoint.log();
    let form: HashMap<String, String> =
        form_urlencoded::parse(asked.split("\r\n\r\n").nth(1).unwrap().as_bytes()).into_owned().collect();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let parts: Vec<&str> = form["assertion"].split('.').collect();
    let read = |part: &str| serde_json::from_slice::<Value>(&BASE64.decode(part).unwrap()).unwrap();
    assert_eq!(read(parts[0]), json!({"alg": "RS256", "typ": "JWT", "kid": "k1"}));
    let scope = "https://www.googleapis.com/auth/cloud-platform";
    let claims = json!({"iss": "a@b.c", "scope": scope, "aud": uri, "iat": 1_795_348_800, "exp": 1_795_352_400});
    assert_eq!(read(parts[1]), claims);
    let public = include_bytes!("rsa.pub.der"); // PKCS#1
    let key = signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, public);
    let text = format!("{}.{}", parts[0], parts[1]);
    key.verify(text.as_bytes(), &BASE64.decode(parts[2]).unwrap()).unwrap();
    let itself = Credentials::Google(GoogleSource::Key(Secret::new(file.to_string())));
    assert_eq!(bearer(&itself, &[]).await.unwrap(), "Bearer canary-token");
    assert_eq!(endpoint.log().matches("POST /token ").count(), 2);
}

#[tokio::test]
async fn a_users_own_login_is_refreshed() {
    let endpoint = StandIn::new(vec![("POST /token ", 200, TOKEN.to_owned())]).await;
    let folder = tempfile::tempdir().unwrap();
    let uri = format!("{}/token", endpoint.url());
    let file = json!({"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r/1", "token_uri": uri});
    // where gcloud leaves it
    google(&folder.path().join("application_default_credentials.json"), &file);
    let default = Credentials::Google(GoogleSource::Default);
    let config = folder.path().to_str().unwrap();
    assert_eq!(bearer(&default, &[("CLOUDSDK_CONFIG", config)]).await.unwrap(), "Bearer canary-token");
    assert!(endpoint.log().contains("grant_type=refresh_token&client_id=i&client_secret=s&refresh_token=r%2F1"));
    let named = folder.path().join("named.json");
    google(&named, &file);
    let variables = [("GOOGLE_APPLICATION_CREDENTIALS", named.to_str().unwrap())];
    assert_eq!(bearer(&default, &variables).await.unwrap(), "Bearer canary-token");
}

#[tokio::test]
async fn another_issuers_token_is_exchanged_and_a_service_account_lent() {
    let lent = r#"{"accessToken":"canary-lent","expireTime":"2026-11-22T13:00:00Z"}"#;
    let endpoint = StandIn::new(vec![
        ("POST /sts ", 200, TOKEN.to_owned()),
        ("POST /lend ", 200, lent.to_owned()),
        ("GET /issuer ", 200, r#"{"id":"subject-2"}"#.to_owned()),
    ])
    .await;
    let folder = tempfile::tempdir().unwrap();
    let subject = folder.path().join("subject");
    std::fs::write(&subject, "subject-1\n").unwrap();
    let url = endpoint.url();
    let mut file = json!({"type": "external_account", "audience": "//iam/x", "token_url": format!("{url}/sts"),
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "credential_source": {"file": subject}});
    let path = folder.path().join("external.json");
    assert_eq!(bearer(&google(&path, &file), &[]).await.unwrap(), "Bearer canary-token");
    assert!(endpoint.log().contains("subject_token=subject-1"));
    file["service_account_impersonation_url"] = format!("{url}/lend").into();
    file["credential_source"] = json!({"url": format!("{url}/issuer"), "headers": {"x-who": "me"}, "format": {"type": "json", "subject_token_field_name": "id"}});
    assert_eq!(bearer(&google(&path, &file), &[]).await.unwrap(), "Bearer canary-lent");
    let asked = endpoint.log();
    assert!(asked.contains("x-who: me") && asked.contains("subject_token=subject-2"), "{asked}");
    assert!(asked.contains("authorization: Bearer canary-token"), "{asked}");
}

#[tokio::test]
async fn the_metadata_server_is_the_last_resort() {
    let server =
        StandIn::new(vec![("GET /computeMetadata/v1/instance/service-accounts/default/token ", 200, TOKEN.to_owned())])
            .await;
    let default = Credentials::Google(GoogleSource::Default);
    assert_eq!(bearer(&default, &[("GCE_METADATA_HOST", &server.host)]).await.unwrap(), "Bearer canary-token");
    assert!(server.log().contains("metadata-flavor: Google"));
}

#[tokio::test]
async fn wrong_files_are_named_by_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    let missing = Credentials::Google(GoogleSource::File(folder.path().join("missing")));
    assert!(bearer(&missing, &[]).await.unwrap_err().contains("cannot be read"));
    for (file, said) in [
        (json!({"type": "canary"}), "not built yet"),
        (json!({"type": "service_account", "client_email": "canary"}), "lacks a field"),
        (
            json!({"type": "service_account", "client_email": "a", "private_key": "canary"}),
            "private key cannot be used",
        ),
    ] {
        let told = bearer(&google(&path, &file), &[]).await.unwrap_err();
        assert!(told.contains(said), "{told}");
    }
}

#[tokio::test]
async fn an_entra_application_gets_its_token() {
    let login = StandIn::new(vec![("POST /tenant/oauth2/v2.0/token ", 200, TOKEN.to_owned())]).await;
    let application = |tenant: &str| {
        Credentials::Entra(Entra {
            tenant_id: tenant.into(),
            client_id: "id".into(),
            client_secret: Secret::new("canary&x"),
            authority: login.url(),
            scope: "https://cognitiveservices.azure.com/.default".into(),
        })
    };
    assert_eq!(bearer(&application("tenant"), &[]).await.unwrap(), "Bearer canary-token");
    let asked = login.log();
    let form = "grant_type=client_credentials&client_id=id&client_secret=canary%26x&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default";
    assert!(asked.ends_with(form), "{asked}");
    assert!(bearer(&application("other"), &[]).await.unwrap_err().contains("the Entra token endpoint answered 404"));
}
