"""Credentials by AWS profiles, held against what botocore makes of the same files."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import subprocess
import sys
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from support.gateway import Gateway, ask, clean_environment
from support.upstream import Upstream, error_reply, json_reply

REGION = "eu-west-1"
ANSWER = {"output": {"message": {"role": "assistant", "content": [{"text": "hi"}]}}, "stopReason": "end_turn",
          "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}}


def at(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


class Aws(Upstream):
    """STS, single sign-on, metadata, a container's agent, and Bedrock. Every id tells how it was come by."""

    def _choose(self, request):
        self.requests.append(request)
        url = urlsplit(request.path)
        if url.path.startswith("/model/"):
            return json_reply(ANSWER)
        if url.path == "/":
            return self.role(request, parse_qs(request.body.decode()))
        if url.path == "/federation/credentials":
            return self.sign_on(request, parse_qs(url.query))
        if url.path == "/latest/api/token":
            return json_reply(b"metadata-token", content_type="text/plain")
        if url.path == "/latest/meta-data/iam/security-credentials/":
            return json_reply(b"machine", content_type="text/plain")
        if url.path in ("/latest/meta-data/iam/security-credentials/machine", "/creds"):
            who = "AKBOX" if url.path == "/creds" else "AKEC2"
            return json_reply({"Code": "Success", "AccessKeyId": who, "SecretAccessKey": "canary", "Token": f"token-{who}", "Expiration": at(3600)})
        return error_reply(404)

    def role(self, request, form):
        caller = re.search(r"Credential=([^/]+)/\d+/eu-west-1/sts/", request.header("authorization")).group(1)
        if form["RoleArn"][0].endswith("/forbidden"):
            return json_reply(b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>canary</Message></Error></ErrorResponse>", 403, content_type="text/xml")
        expected = None if caller in ("AKKEYS", "AKSELF", "AKENV", "AKPROC") else f"token-{caller}"
        assert request.header("x-amz-security-token") == expected
        assert form["Action"] == ["AssumeRole"] and form["Version"] == ["2011-06-15"]
        extra = [form[name][0] for name in ("ExternalId", "DurationSeconds") if name in form]
        if "RoleSessionName" in form and form["RoleSessionName"][0] == "named":
            extra.append("named")
        who = ".".join([caller, form["RoleArn"][0].rsplit("/")[-1], *extra])
        xml = (f"<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials><AccessKeyId>{who}</AccessKeyId>"
               f"<SecretAccessKey>canary</SecretAccessKey><SessionToken>token-{who}</SessionToken><Expiration>{at(3600)}</Expiration>"
               "</Credentials></AssumeRoleResult></AssumeRoleResponse>")
        return json_reply(xml.encode(), content_type="text/xml")

    def sign_on(self, request, query):
        token = request.header("x-amz-sso_bearer_token")
        if token == "revoked":
            return json_reply({"message": "Session token not found or invalid"}, 401, [("x-amzn-errortype", "UnauthorizedException")])
        who = f"AKSSO.{token}.{query['account_id'][0]}.{query['role_name'][0]}"
        return json_reply({"roleCredentials": {"accessKeyId": who, "secretAccessKey": "canary", "sessionToken": f"token-{who}",
                                               "expiration": int(time.time() + 3600) * 1000}})


ROLE = "arn:aws:iam::123456789012:role/"
SSO = "sso_account_id = 123456789012\nsso_role_name = Admin+x\n"
CONFIG = f"""
[default]
region = {REGION}
[profile keys]
aws_access_key_id = AKKEYS
aws_secret_access_key = canary
[profile role]
role_arn = {ROLE}one
source_profile = keys
[profile detailed]
role_arn = {ROLE}one
source_profile = keys
external_id = ext-1
duration_seconds = 900
role_session_name = named
[profile chained]
role_arn = {ROLE}three
source_profile = middle
[profile middle]
role_arn = {ROLE}two
source_profile = role
[profile itself]
role_arn = {ROLE}one
source_profile = itself
aws_access_key_id = AKSELF
aws_secret_access_key = canary
[profile of-itself]
role_arn = {ROLE}two
source_profile = itself
[profile environment]
role_arn = {ROLE}one
credential_source = Environment
[profile machine]
role_arn = {ROLE}one
credential_source = Ec2InstanceMetadata
[profile container]
role_arn = {ROLE}one
credential_source = EcsContainer
[profile "two words"]
role_arn = {ROLE}one
source_profile = in-keys-file
[profile process]
credential_process = PROCESS 'Version 1' "{{}}"
[profile process-before-keys]
credential_process = PROCESS 'Version 1' "{{}}"
aws_access_key_id = AKKEYS
aws_secret_access_key = canary
[profile role-of-process]
role_arn = {ROLE}one
source_profile = process
[profile session]
sso_session = corp
{SSO}
[profile legacy]
sso_start_url = https://corp.example/start
sso_region = {REGION}
{SSO}
[profile session-before-keys]
sso_session = corp
aws_access_key_id = AKKEYS
aws_secret_access_key = canary
{SSO}
[profile role-of-session]
role_arn = {ROLE}one
source_profile = session
[sso-session corp]
sso_start_url = https://corp.example/start
sso_region = {REGION}
sso_registration_scopes = sso:account:access
[profile loop]
role_arn = {ROLE}one
source_profile = loop-b
[profile loop-b]
role_arn = {ROLE}two
source_profile = loop
[profile sourceless]
role_arn = {ROLE}one
[profile missing]
role_arn = {ROLE}one
source_profile = nobody
[profile both]
role_arn = {ROLE}one
source_profile = keys
credential_source = Environment
[profile odd]
role_arn = {ROLE}one
credential_source = Thin-Air
[profile half]
aws_access_key_id = AKHALF
[profile forbidden]
role_arn = {ROLE}forbidden
source_profile = keys
[profile failing]
credential_process = FAILING
[profile no-program]
credential_process = /no/such/program
[profile other-version]
credential_process = PROCESS 'Version 2' "{{}}"
[profile expired]
sso_session = expired
{SSO}
[profile logged-out]
sso_session = logged-out
{SSO}
[profile revoked]
sso_session = revoked
{SSO}
[profile incomplete]
sso_start_url = https://corp.example/start
{SSO}
""" + "".join(f"[sso-session {name}]\nsso_start_url = https://corp.example/start\nsso_region = {REGION}\n" for name in ("expired", "logged-out", "revoked"))
KEYS = "[in-keys-file]\naws_access_key_id = AKKEYS\naws_secret_access_key = canary\n"
SSO_ID = "AKSSO.{}.123456789012.Admin+x"

GOOD = {
    "keys": "AKKEYS", "role": "AKKEYS.one", "detailed": "AKKEYS.one.ext-1.900.named", "chained": "AKKEYS.one.two.three", "itself": "AKSELF.one",
    "of-itself": "AKSELF.two", "environment": "AKENV.one", "machine": "AKEC2.one", "container": "AKBOX.one", "two words": "AKKEYS.one",
    "process": "AKPROC", "process-before-keys": "AKPROC", "role-of-process": "AKPROC.one", "session": SSO_ID.format("corp"),
    "legacy": SSO_ID.format("legacy"), "session-before-keys": SSO_ID.format("corp"), "role-of-session": SSO_ID.format("corp") + ".one",
}
BAD = {
    "loop": "`loop` → `loop-b` → `loop`", "sourceless": "AWS profile `sourceless` has a `role_arn` and needs",
    "missing": "there is no AWS profile `nobody`, which is the `source_profile` of `missing`", "both": "AWS profile `both` has both",
    "odd": "unknown `credential_source` in AWS profile `odd`", "half": "AWS profile `half` has an `aws_access_key_id` and no",
    "forbidden": "the role of AWS profile `forbidden`: the AWS security token service answered 403 (AccessDenied)",
    "failing": "`credential_process` of AWS profile `failing` failed (exit status: 3)", "no-program": "of AWS profile `no-program` cannot be started",
    "other-version": "prints version 2", "expired": "`aws sso login --profile expired`", "logged-out": "`aws sso login --profile logged-out`",
    "revoked": "`aws sso login --profile revoked`", "incomplete": "AWS profile `incomplete` has no `sso_region`",
    "nobody": "there is no AWS profile `nobody`",
}


def name(profile: str) -> str:
    return profile.replace(" ", "-")


@pytest.fixture(scope="module")
def aws():
    with Aws() as aws:
        yield aws
    assert not aws.problems, aws.problems


@pytest.fixture(scope="module")
def gateway(aws):
    environment = {"AWS_ENDPOINT_URL_STS": aws.origin, "AWS_ENDPOINT_URL_SSO": aws.origin, "AWS_EC2_METADATA_SERVICE_ENDPOINT": aws.origin,
                   "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{aws.origin}/creds", "AWS_ACCESS_KEY_ID": "AKENV", "AWS_SECRET_ACCESS_KEY": "canary"}
    providers = {name(profile): {"type": "bedrock", "region": REGION, "profile": profile, "base_url": aws.origin, "models": [f"m-{name(profile)}"],
                                 "discover": False} for profile in [*GOOD, *BAD]}
    gateway = Gateway({"providers": providers}, env=environment)
    write_files(gateway.folder)
    gateway.environment = clean_environment(HOME=str(gateway.folder), **environment)
    with gateway:
        yield gateway
        assert "canary" not in gateway.output


def write_files(home) -> None:
    process = home / "a program"
    process.write_text(f"#!{sys.executable}\nimport json, sys\nassert sys.argv[2] == '{{}}'\nsys.stderr.write('canary')\n"
                       "print(json.dumps({'Version': int(sys.argv[1][-1]), 'AccessKeyId': 'AKPROC', 'SecretAccessKey': 'canary'}))\n")
    failing = home / "failing"
    failing.write_text("#!/bin/sh\necho canary >&2\nexit 3\n")
    for program in (process, failing):
        program.chmod(0o755)
    cache = home / ".aws/sso/cache"
    cache.mkdir(parents=True)
    (home / ".aws/config").write_text(CONFIG.replace("PROCESS", shlex.quote(str(process))).replace("FAILING", str(failing)))
    (home / ".aws/credentials").write_text(KEYS)
    for key, token, expires in (("corp", "corp", at(3600)), ("https://corp.example/start", "legacy", at(3600).replace("Z", "UTC")),
                                ("expired", "canary", at(-5)), ("revoked", "revoked", at(3600))):
        file = cache / f"{hashlib.sha1(key.encode()).hexdigest()}.json"
        file.write_text(json.dumps({"startUrl": "https://corp.example/start", "region": REGION, "accessToken": token, "expiresAt": expires}))


BOTOCORE = f"""
import json, sys, botocore.session
session = botocore.session.Session(profile=sys.argv[1])
session.set_config_variable("region", "{REGION}")
try:
    keys = session.get_credentials()
    keys = keys and keys.get_frozen_credentials()
    print(json.dumps([keys.access_key, keys.token] if keys else None))
except Exception as error:
    print(json.dumps(type(error).__name__))
"""


def botocore(gateway, profile: str):
    done = subprocess.run([sys.executable, "-c", BOTOCORE, profile], capture_output=True, text=True, env=gateway.environment, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("profile", GOOD)
def test_a_profile_gives_what_botocore_gets_from_it(gateway, aws, profile):
    aws.reset()
    reply = gateway.chat(ask(f"m-{name(profile)}"))
    assert reply.status == 200, reply.body
    request = next(request for request in aws.requests if request.path.startswith("/model/"))
    signer = re.search(r"Credential=([^/]+)/", request.header("authorization")).group(1)
    assert signer == GOOD[profile]
    assert [signer, request.header("x-amz-security-token")] == botocore(gateway, profile)


@pytest.mark.parametrize("profile", BAD)
def test_a_profile_that_gives_nothing_is_named_with_what_to_do(gateway, profile):
    reply = gateway.chat(ask(f"m-{name(profile)}"))
    assert reply.status == 502 and BAD[profile] in reply.error()["message"], reply.body
    assert "127.0.0.1" not in reply.error()["message"] and "canary" not in reply.error()["message"]
    assert not isinstance(botocore(gateway, profile), list), "botocore gets one from it"
