"""What botocore, AWS's own signer, makes of requests to Bedrock: the judge of `transport::credentials::signer`.

`sigv4.py --write` writes the cases with botocore's signatures to the file that the Rust test
`credentials::tests::signature` signs itself and compares; without it, a difference to that file is an error.
Needs `botocore`.
"""

import datetime
import json
import pathlib
import sys

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

CASES = (
    pathlib.Path(__file__).parents[3]
    / "gateway/src/transport/credentials/tests/sigv4.json"
)
NOON = datetime.datetime(2026, 11, 22, 12, 0, 0, tzinfo=datetime.timezone.utc)
KEYS = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
JSON = {"content-type": "application/json"}
HOST = "https://bedrock-runtime.us-east-1.amazonaws.com"
BODY = '{"messages":[{"role":"user","content":[{"text":"hi"}]}]}'
ARN = "arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Feu.x-v1%3A0"

# name, method, url, region, session token, headers, body
REQUESTS = [
    ("plain", "POST", f"{HOST}/model/m/converse", "us-east-1", None, JSON, BODY),
    ("colon in the model", "POST", f"{HOST}/model/anthropic.claude-v1%3A0/converse", "us-east-1", None, JSON, BODY),
    ("arn", "POST", f"https://bedrock-runtime.eu-west-1.amazonaws.com/model/{ARN}/converse-stream", "eu-west-1", None, JSON, BODY),
    ("session token", "POST", f"{HOST}/model/m/converse", "us-east-1", "IQoJb3JpZ2lu+/x==", JSON, BODY),
    ("not ascii", "POST", f"{HOST}/model/m/converse", "us-east-1", None, JSON, '{"text":"grüße 🌍"}'),
    ("empty body", "POST", f"{HOST}/model/m/converse", "us-east-1", None, JSON, ""),
    ("list", "GET", "https://bedrock.us-east-1.amazonaws.com/foundation-models", "us-east-1", None, {}, ""),
    ("query", "GET", "https://bedrock.us-east-1.amazonaws.com/inference-profiles?maxResults=1000&nextToken=a%2Bb%3D", "us-east-1", "tok", {}, ""),
    ("port", "POST", "http://127.0.0.1:9000/model/m%3A0/invoke", "ap-southeast-2", None, JSON, BODY),
    ("own headers", "POST", f"{HOST}/model/m/invoke", "us-east-1", None,
     {**JSON, "x-amzn-bedrock-trace": "ENABLED"}, BODY),
    ("spaces in a header", "POST", f"{HOST}/model/m/invoke", "us-east-1", None,
     {**JSON, "x-amz-note": "a   b"}, BODY),
    ("large", "POST", f"{HOST}/model/m/converse", "us-east-1", "tok", JSON, "x" * 5000),
]


def signed(name, method, url, region, token, headers, body):
    botocore.auth.get_current_datetime = lambda: NOON
    # botocore takes header names that are not AWS's into the signature too; the gateway leaves them out
    kept = {k: v for k, v in headers.items() if k == "content-type" or k.startswith("x-amz-")}
    request = AWSRequest(method=method, url=url, headers=kept, data=body.encode())
    signer = botocore.auth.SigV4Auth(Credentials(*KEYS, token), "bedrock", region)
    signer.add_auth(request)
    mine = {k.lower(): v for k, v in request.headers.items()}
    result = {k: mine[k] for k in ("authorization", "x-amz-date", "x-amz-security-token") if k in mine}
    return {
        "name": name, "method": method, "url": url, "region": region, "session_token": token,
        "headers": headers, "body": body, "signed": result,
    }


def main():
    text = json.dumps([signed(*case) for case in REQUESTS], indent=1, ensure_ascii=False) + "\n"
    if "--write" in sys.argv:
        CASES.write_text(text)
    elif CASES.read_text() != text:
        sys.exit(f"{CASES} is not what botocore signs: run with --write and run the Rust tests")
    print(f"{len(REQUESTS)} requests signed by botocore {botocore.__version__}")


if __name__ == "__main__":
    main()
