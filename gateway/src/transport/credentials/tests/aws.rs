//! Every link of the AWS credential chain, each against a stand-in.

use super::*;
use crate::{config::AwsSource, secret::Secret};

fn chain(source: AwsSource) -> Credentials {
    Credentials::Aws { service: "bedrock", region: "eu-west-1".into(), source }
}

/// Who signed, and the session token.
async fn signer(variables: &[(&str, &str)]) -> Result<(String, Option<String>), String> {
    from(AwsSource::Chain, variables).await
}

async fn from(source: AwsSource, variables: &[(&str, &str)]) -> Result<(String, Option<String>), String> {
    let none = [("AWS_EC2_METADATA_DISABLED", "true")];
    let metadata = variables.iter().any(|(name, _)| name.starts_with("AWS_EC2"));
    let variables = if metadata { variables.to_vec() } else { [variables, &none].concat() };
    let headers = with(&chain(source), &around(&variables)).await.map_err(|refusal| {
        assert_eq!(refusal.cause, crate::refusal::Cause::Credential);
        assert!(!refusal.message.contains("canary") && !refusal.message.contains("127.0.0.1"), "{}", refusal.message);
        refusal.message.into_owned()
    })?;
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let authorization = text("authorization").unwrap();
    assert!(authorization.contains("/20261122/eu-west-1/bedrock/aws4_request"), "{authorization}");
    let id = authorization.split("Credential=").nth(1).unwrap().split('/').next().unwrap().to_owned();
    Ok((id, text("x-amz-security-token")))
}

fn temporary(id: &str) -> String {
    format!(
        r#"{{"Code":"Success","AccessKeyId":"{id}","SecretAccessKey":"canary","Token":"session","Expiration":"2026-11-22T18:00:00Z"}}"#
    )
}

fn session(id: &str) -> Result<(String, Option<String>), String> {
    Ok((id.to_owned(), Some("session".to_owned())))
}

#[tokio::test]
async fn environment() {
    let keys = [("AWS_ACCESS_KEY_ID", "AKENV"), ("AWS_SECRET_ACCESS_KEY", "canary"), ("AWS_SESSION_TOKEN", "session")];
    assert_eq!(signer(&keys).await, session("AKENV"));
    assert!(signer(&keys[..1]).await.unwrap_err().contains("AWS_SECRET_ACCESS_KEY"));
    assert!(signer(&[]).await.unwrap_err().contains("no AWS credential"));
}

#[tokio::test]
async fn profile_files() {
    let home = tempfile::tempdir().unwrap();
    let aws = home.path().join(".aws");
    std::fs::create_dir(&aws).unwrap();
    std::fs::write(
        aws.join("credentials"),
        "# keys\n[default]\naws_access_key_id = AKDEF\naws_secret_access_key=canary\n[work]\naws_access_key_id=AKWORK # old\n\
         aws_secret_access_key = canary\naws_session_token = session\n",
    )
    .unwrap();
    std::fs::write(
        aws.join("config"),
        "[default]\nregion = eu-west-1\n[profile conf]\naws_access_key_id = AKCONF\naws_secret_access_key = canary\n\
         s3 =\n  aws_access_key_id = nested\n[profile sso]\nsso_session = x\n",
    )
    .unwrap();
    let home = home.path().to_str().unwrap();
    let other = aws.join("credentials");
    assert_eq!(signer(&[("HOME", home)]).await, Ok(("AKDEF".to_owned(), None)));
    assert_eq!(signer(&[("HOME", home), ("AWS_PROFILE", "work")]).await, session("AKWORK"));
    assert_eq!(signer(&[("HOME", home), ("AWS_PROFILE", "conf")]).await, Ok(("AKCONF".to_owned(), None)));
    assert_eq!(
        signer(&[("AWS_SHARED_CREDENTIALS_FILE", other.to_str().unwrap())]).await,
        Ok(("AKDEF".to_owned(), None))
    );
    let named = |name: &str| AwsSource::Profile(name.to_owned());
    let environment = ("AWS_ACCESS_KEY_ID", "AKENV");
    assert_eq!(from(named("work"), &[("HOME", home), environment]).await, session("AKWORK"), "a profile by name is it");
    assert!(from(named("nobody"), &[("HOME", home)]).await.unwrap_err().contains("no AWS profile `nobody`"));
    assert!(
        from(named("sso"), &[("HOME", home)]).await.unwrap_err().contains("no AWS profile `sso` with a credential")
    );
}

#[tokio::test]
async fn web_identity() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "canary.jwt+x\n").unwrap();
    let answer = "<AssumeRoleWithWebIdentityResponse><Credentials><AccessKeyId>AKWEB</AccessKeyId><SecretAccessKey>canary\
                  </SecretAccessKey><SessionToken>session</SessionToken><Expiration>2026-11-22T13:00:00Z</Expiration>\
                  </Credentials></AssumeRoleWithWebIdentityResponse>";
    let sts = StandIn::new(vec![("POST / ", 200, answer.to_owned())]).await;
    let url = sts.url();
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
        ("AWS_ENDPOINT_URL_STS", url.as_str()),
    ];
    assert_eq!(signer(&variables).await, session("AKWEB"));
    let asked = sts.log();
    for part in [
        "Action=AssumeRoleWithWebIdentity",
        "RoleArn=arn%3Aaws%3Aiam",
        "WebIdentityToken=canary.jwt%2Bx",
        "Version=2011-06-15",
    ] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    let error =
        "<ErrorResponse><Error><Code>ExpiredTokenException</Code><Message>canary</Message></Error></ErrorResponse>";
    let sts = StandIn::new(vec![("POST / ", 400, error.to_owned())]).await;
    let url = sts.url();
    let failed = signer(&[variables[0], variables[1], ("AWS_ENDPOINT_URL_STS", url.as_str())]).await.unwrap_err();
    assert!(failed.ends_with("the AWS security token service answered 400 (ExpiredTokenException)"), "{failed}");
}

#[tokio::test]
async fn container() {
    let agent = StandIn::new(vec![("GET /creds ", 200, temporary("AKBOX"))]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "from-file\n").unwrap();
    let url = format!("{}/creds", agent.url());
    let uri = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str());
    assert_eq!(signer(&[uri, ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "given")]).await, session("AKBOX"));
    assert_eq!(
        signer(&[uri, ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.to_str().unwrap())]).await,
        session("AKBOX")
    );
    assert!(agent.log().contains("authorization: given") && agent.log().contains("authorization: from-file"));
    let far = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.0.0.1/creds");
    assert!(signer(&[far]).await.unwrap_err().contains("neither https nor local"));
}

#[tokio::test]
async fn instance_metadata() {
    let service = StandIn::new(vec![
        ("PUT /latest/api/token ", 200, "session-of-metadata".to_owned()),
        ("GET /latest/meta-data/iam/security-credentials/role ", 200, temporary("AKEC2")),
        ("GET /latest/meta-data/iam/security-credentials/ ", 200, "role\n".to_owned()),
    ])
    .await;
    let url = service.url();
    assert_eq!(signer(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", url.as_str())]).await, session("AKEC2"));
    let asked = service.log();
    assert!(asked.contains("x-aws-ec2-metadata-token-ttl-seconds: 21600"), "{asked}");
    assert_eq!(asked.matches("x-aws-ec2-metadata-token: session-of-metadata").count(), 2);
}

#[tokio::test]
async fn secrets_are_not_in_debug() {
    let source = AwsSource::Keys {
        access_key_id: Secret::new("AK"),
        secret_access_key: Secret::new("canary"),
        session_token: None,
    };
    assert!(!format!("{:?}", chain(source)).contains("canary"));
}
