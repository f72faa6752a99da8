"""The files that `facegate init` writes: a configuration that is complete, commented, and shut.

Nobody can call through it as it stands: no tenant has a credential.
"""

from __future__ import annotations

GATEWAY_YAML = """\
# Facegate's configuration. The README, chapter "Settings", has every key.
#
# `facegate check gateway.yaml` lists every mistake in this file and in the files that it names;
# while there is one, nothing starts, and a running gateway keeps what it has.
# A variable wins over this file: FACEGATE_LISTEN__PORT is `listen.port`.
# A secret never stands here: `env:NAME` takes it from a variable, `file:PATH` from a file.

# Where callers connect. Without TLS keep it on the loopback interface.
listen:
  host: 127.0.0.1
  port: 8080
  # tls: {cert: tls/cert.pem, key: tls/key.pem}

# Health, metrics and the admin API. Without a token nothing can be changed through it.
admin:
  host: 127.0.0.1
  port: 8081
  # token: env:FACEGATE_ADMIN_TOKEN

# Your own load balancers. Only what they say of a client's address is believed.
# trusted_proxies: [192.0.2.10/32]

# The providers. The Host header of a request chooses one; an unknown host is refused.
upstreams:
  - name: rekognition
    provider: aws_rekognition
    hosts: [127.0.0.1]  # as in the endpoint that callers are given; with or without a port
    url: https://rekognition.us-east-1.amazonaws.com
    credential:  # the gateway's own; it takes the place of the caller's
      aws:
        access_key_id: env:UPSTREAM_AWS_KEY_ID
        secret_access_key: env:UPSTREAM_AWS_SECRET
        region: us-east-1
  # - name: face
  #   provider: azure_face
  #   hosts: [localhost]
  #   url: https://example.cognitiveservices.azure.com
  #   credential: {header: {name: Ocp-Apim-Subscription-Key, value: env:UPSTREAM_AZURE_KEY}}

# How callers prove who they are. API keys and access keys stand in the tenant file.
identity:
  secrets_key: env:FACEGATE_SECRETS_KEY  # 32 bytes, 64 hexadecimal digits; keys are kept under it
  # issuers:
  #   - issuer: https://idp.example
  #     jwks: https://idp.example/jwks.json
  #     audience: face-gateway
  #     algorithms: [RS256]

tenants: tenants.yaml

# A country database in MaxMind's format. Without one every caller's place is `unknown`, and the
# shipped policy refuses face search at scale to everybody.
networks:
  # country: country.mmdb
  max_age_days: 14  # an older database marks every place `stale`

policies: policies

# Every decision is on this disk before anything leaves for a provider.
audit:
  dir: audit
  origin: gw.example/audit  # names this log to the world; choose it once
"""

TENANTS_YAML = """\
# Who may call, what they attest, and on whose behalf. What is not stated counts as unknown.
apiVersion: facegate/v1
kind: Tenants
tenants:
  - id: example
    legal_name: Example Bank plc
    # One of: government, law_enforcement, military, contractor_for_government, private, individual.
    type: private
    # tier: standard
    # tags: [kyc]
    countries: [GB]  # registration and billing: ISO 3166-1 or 3166-2
    deployments: [GB]  # places of use
    end_uses: [customer_verification]  # each of them has to be permitted
    # Restricted-party lists that name the tenant: `[]` is screened and clean; without the key it
    # counts as not screened.
    listed: []
    # Everybody else behind a request: end users, resellers, owners.
    # parties:
    #   - {name: Example Stores Ltd, role: end_user, type: private, countries: [GB], listed: []}
    # What is on file to meet a rule that requires it; `valid_to` is the first day without. It
    # applies to these classes and places only, and lifts no deny that it does not name.
    # references:
    #   - {id: LIC-1, kind: licence, authority: Example Trade Office, classes: [one_to_many],
    #      destinations: [GB], valid_from: 2026-01-01, valid_to: 2027-01-01,
    #      quota: {limit: 10000, counts: calls}, report_days: 90, warn_days: 30}
    # `facegate keys aws` and `facegate keys api` print lines for these lists.
    credentials:
      access_keys: []
      api_keys: []
      # jwt: [{issuer: https://idp.example, subject: svc-bank}]
"""

NEXT_STEPS = """\
Next (keep the secrets key: every credential is stored under it):
  cd {directory}
  export FACEGATE_SECRETS_KEY=$(python3 -c 'import secrets; print(secrets.token_hex(32))')
  export UPSTREAM_AWS_KEY_ID=… UPSTREAM_AWS_SECRET=…    # the gateway's own, at the provider
  facegate check gateway.yaml                           # every mistake, with its place
  facegate test policies                                # the cases beside the rules
  facegate keys aws --config gateway.yaml               # a credential, for tenants.yaml
  facegate serve --config gateway.yaml
"""
