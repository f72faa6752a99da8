"""The files of the demonstration that are plain text: its configuration and one more policy."""

from __future__ import annotations

# Filled in with `str.format`; the names in capitals are variables of `World.environ`.
GATEWAY_YAML = """\
# Written by the demonstration; every key is made on the spot and stands in the environment only.
listen: {{host: 127.0.0.1, port: {gateway_port}}}
admin:
  host: 127.0.0.1
  port: {admin_port}
  token: env:DEMO_ADMIN_TOKEN
  hosts: [localhost, 127.0.0.1]
# The sample traffic plays the proxy that tells the client's address.
trusted_proxies: [127.0.0.0/8]
upstreams:
  - name: rekognition
    provider: aws_rekognition
    hosts: [{aws_host}]
    url: {provider_url}
    credential:
      aws:
        access_key_id: env:DEMO_AWS_ID
        secret_access_key: env:DEMO_AWS_SECRET
        region: {region}
  - name: face
    provider: azure_face
    hosts: [{azure_host}]
    url: {provider_url}
    credential: {{header: {{name: Ocp-Apim-Subscription-Key, value: env:DEMO_AZURE_KEY}}}}
identity:
  issuers:
    - issuer: {issuer_url}
      jwks: {jwks_url}
      audience: {audience}
      algorithms: [RS256]
      max_stale_s: 3600
  api_keys: tenants
  sigv4: tenants
  secrets_key: env:DEMO_SECRETS_KEY
tenants: tenants.yaml
networks: {{country: country.mmdb, max_age_days: 14}}
policies: policies
audit: {{dir: audit, origin: demo.facegate.example, durability: strict}}
limits: {{drain_delay_s: 0}}  # nobody waits for a load balancer here
"""

TIGHTENING_YAML = """\
apiVersion: facegate/v1
kind: Pack
pack: demo-tightening
owner: whoever runs the demonstration
source: the demonstration itself
force: voluntary
review: 2040-01-01
rules:
  - id: northwind-suspended
    effect: deny
    when:
      tenant: [northwind-missing]
      class: [one_to_many]
    reason: The operator has suspended this tenant's searches.
"""
