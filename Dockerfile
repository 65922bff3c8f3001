# docker build -t pipegate .
# docker run --rm --read-only --cap-drop ALL --stop-timeout 45 -p 127.0.0.1:8080:8080 pipegate
#
# For builds that can be repeated to the byte, name the base by its digest as well: what `docker buildx imagetools inspect
# node:24.21.0-trixie-slim` prints, as node:24.21.0-trixie-slim@sha256:…
ARG NODE_VERSION=24.21.0
FROM node:${NODE_VERSION}-trixie-slim AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends binutils
ENV npm_config_update_notifier=false npm_config_fund=false npm_config_audit=false

WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
# The same files as in the npm package, and what they need at run time.
RUN npm pack --silent \
  && mkdir -p /image/node_modules/pipegate \
  && tar xzf pipegate-*.tgz -C /image/node_modules/pipegate --strip-components=1 \
  && cp package-lock.json /image/node_modules/pipegate
WORKDIR /image/node_modules/pipegate
RUN npm ci --omit=dev --ignore-scripts \
  && rm -r deploy \
  && find node_modules/uWebSockets.js -name 'uws_*.node' \
    ! -name "$(node -p '`uws_linux_${process.arch}_${process.versions.modules}.node`')" -delete \
  && find gateway/native/prebuilt -type f ! -name "sockets-linux-$(node -p 'process.arch').node" -delete \
  && find . -type f '(' -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -path '*/test/*' ')' -delete \
  && find . -type d -empty -delete

# Of Debian slim what these programs load: with all of it the image would have 200 MB, and a shell for whoever breaks in.
# Scanners find in the usual place which versions these are.
RUN ldd /usr/local/bin/node node_modules/uWebSockets.js/*.node gateway/native/prebuilt/*.node \
    | awk '$2 == "=>" { print $3 } $1 ~ /^\/lib.*\/ld-linux/ { print $1 }' | sort -u \
    | xargs cp --parents --dereference --target-directory=/image \
  && cp --parents --dereference /usr/local/bin/node /etc/os-release /image \
  && strip /image/usr/local/bin/node \
  && mkdir -p /image/var/lib/dpkg /image/etc/pipegate \
  && dpkg-query --status libc6 libgcc-s1 libstdc++6 > /image/var/lib/dpkg/status \
  && echo 'pipegate:x:10001:10001::/:/sbin/nologin' > /image/etc/passwd \
  && echo 'pipegate:x:10001:' > /image/etc/group \
  && cp /src/deploy/docker/pipegate.yaml /image/etc/pipegate \
  && chmod -R a+rX,go-w /image

FROM scratch
LABEL org.opencontainers.image.title="pipegate" \
  org.opencontainers.image.description="A gateway where one HTTP request's body becomes another request's response." \
  org.opencontainers.image.licenses="MIT"
COPY --from=build /image /
# Flags outrank these, and these outrank the file.
ENV NODE_ENV=production PIPEGATE_CONFIG=/etc/pipegate/pipegate.yaml PIPEGATE_HOST=0.0.0.0
USER 10001:10001
EXPOSE 8080
# The transfers that run get `drain` seconds (30); `docker stop` waits 10 unless told otherwise.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s \
  CMD ["/usr/local/bin/node", "/node_modules/pipegate/dist/gateway/main.js", "health"]
ENTRYPOINT ["/usr/local/bin/node", "/node_modules/pipegate/dist/gateway/main.js"]
CMD ["serve"]
