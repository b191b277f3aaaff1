# Two images from one source: `docker build --target cloud .` and `docker build --target edge .`.
# Every step is a script that also runs outside a container (.ci/assemble); no container engine ran this file yet (DECISIONS.md).
FROM node:26-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm ci
RUN .ci/assemble cloud /out/cloud && .ci/assemble edge /out/edge

FROM debian:bookworm-slim AS cloud
RUN apt-get update && apt-get install -y --no-install-recommends tini ca-certificates && rm -rf /var/lib/apt/lists/* \
  && useradd --system --uid 10001 --home-dir /var/lib/andon --create-home andon
COPY --from=build /out/cloud /opt/andon
USER andon
ENV ANDON_DATA=/var/lib/andon PATH=/opt/andon/node_modules/.bin:$PATH
VOLUME /var/lib/andon
EXPOSE 8443 8883
# PostgreSQL runs as a child process, so a container needs an init process that reaps.
ENTRYPOINT ["tini", "--", "node", "/opt/andon/andon.ts", "cloud"]

FROM debian:bookworm-slim AS edge
RUN apt-get update && apt-get install -y --no-install-recommends tini ca-certificates && rm -rf /var/lib/apt/lists/* \
  && useradd --system --uid 10002 --home-dir /var/lib/andon-edge --create-home andon
COPY --from=build /out/edge /opt/andon
USER andon
ENV PATH=/opt/andon/node_modules/.bin:$PATH
VOLUME /var/lib/andon-edge
EXPOSE 8090
ENTRYPOINT ["tini", "--", "node", "/opt/andon/andon.ts", "edge", "--config", "/etc/andon/edge.yaml"]
