# Two images from one source: `docker build --target cloud .` and `docker build --target edge .`.
# Every step is a script that also runs outside a container (.ci/assemble); no container engine ran this file yet (DECISIONS.md).
FROM node:26-bookworm-slim AS build
WORKDIR /src
COPY . .
RUN npm ci
RUN .ci/assemble cloud /out/cloud && .ci/assemble edge /out/edge

FROM debian:bookworm-slim AS base
# tini reaps what a child process such as PostgreSQL leaves; the libraries are those that Node is linked to.
RUN apt-get update && apt-get install -y --no-install-recommends tini ca-certificates libatomic1 libgcc-s1 libstdc++6 \
  && rm -rf /var/lib/apt/lists/*
ENV PATH=/opt/andon/node_modules/.bin:$PATH

# Console, API and plain MQTT listen on loopback: run it with `--network host`. With ANDON_BIND, MQTT with TLS listens on 8883.
FROM base AS cloud
RUN useradd --system --uid 10001 --home-dir /var/lib/andon --create-home andon
COPY --from=build /out/cloud /opt/andon
USER andon
ENV ANDON_DATA=/var/lib/andon
VOLUME /var/lib/andon
EXPOSE 8443 8883
ENTRYPOINT ["tini", "--", "node", "/opt/andon/andon.ts"]
CMD ["cloud"]

# The edge as its archive holds it (deploy/edge/README.md): its own Node and what that asks for, so nothing is installed. Its page
# listens on loopback (8090): run it with `--network host`. The volume holds edge.yaml and data; the rest may be read-only.
FROM debian:bookworm-slim AS edge
RUN useradd --system --uid 10002 --home-dir /var/lib/andon-edge --create-home andon
COPY --from=build /out/edge /opt/andon-edge
USER andon
ENV NODE_COMPILE_CACHE=/var/lib/andon-edge/.cache
VOLUME /var/lib/andon-edge
ENTRYPOINT ["/opt/andon-edge/andon-edge"]
CMD ["edge", "--config", "/var/lib/andon-edge/edge.yaml"]
