/** A setting of the environment, as `andon cloud --help` and README.md tell it. */
export interface Setting {
  readonly name: string
  readonly what: string
}

/** Every setting that the cloud reads: addresses and secrets, while behaviour stands in cloud.yaml. */
export const CLOUD_SETTINGS: readonly Setting[] = [
  { name: 'ANDON_DATA', what: 'where everything is kept (.andon/cloud)' },
  { name: 'ANDON_HTTP_PORT', what: 'console and API (8080); 0 picks a free port' },
  {
    name: 'ANDON_HTTPS_PORT',
    what: 'console and API with TLS (8443; any free one where ANDON_HTTP_PORT is 0); boxes enrol there',
  },
  { name: 'ANDON_MQTT_PORT', what: 'broker for edges (1883); 0 picks a free port' },
  {
    name: 'ANDON_MQTTS_PORT',
    what: 'the same with TLS (8883); edges may show a certificate of ANDON_DATA/certificates',
  },
  { name: 'ANDON_BIND', what: 'where the ports with TLS listen (127.0.0.1); plain ones stay on this machine' },
  { name: 'ANDON_TLS_CERT', what: 'PEM file of your own server certificate; else one is made and renewed' },
  { name: 'ANDON_TLS_KEY', what: 'PEM file of its key' },
  { name: 'ANDON_PUBLIC_URL', what: 'the one origin of links and cookies (http://localhost with the HTTP port)' },
  { name: 'ANDON_SECRET', what: "the installation's secret; made and kept under ANDON_DATA unless given" },
  {
    name: 'DATABASE_URL',
    what: 'an existing PostgreSQL instead of the embedded one, e.g. postgresql://user:password@host:5432/andon',
  },
  { name: 'MQTT_URL', what: 'an MQTT 5 broker instead of the embedded one, e.g. mqtts://user:password@broker:8883' },
  { name: 'MQTT_CA', what: 'PEM file of the authority that signed its certificate; else those that Node knows' },
  { name: 'MQTT_CERT', what: 'PEM file of a client certificate for it' },
  { name: 'MQTT_KEY', what: 'PEM file of the key of that certificate' },
  {
    name: 'INFLUX_URL',
    what: 'InfluxDB or VictoriaMetrics for history instead of the embedded store, e.g. http://influxdb:8086',
  },
  { name: 'INFLUX_TOKEN', what: 'its token, sent as Authorization: Token …' },
  { name: 'INFLUX_ORG', what: 'its organisation (InfluxDB 2 and later)' },
  { name: 'INFLUX_BUCKET', what: 'where the values go: a bucket, or of InfluxDB 1 database/retention policy (andon)' },
  {
    name: 'REDIS_URL',
    what: 'carries live values from several machine sides to the consoles, e.g. redis://user:password@redis:6379',
  },
  {
    name: 'ANDON_DEMO_PASSWORD',
    what: "password of the accounts of the organisation file ('seed'), once, when it makes them",
  },
  { name: 'ANDON_EDGE_SECRET', what: 'secret of the edges of that file, likewise' },
]

/** Settings that the product is going to have: known, and said not to be read yet. */
export const LATER = ['S3_URL', 'SMTP_URL'] as const

/** A Markdown table of the settings. */
export function settingsTable(): string {
  const rows = CLOUD_SETTINGS.map(({ name, what }) => `| \`${name}\` | ${what} |`)
  return ['| setting | what it does |', '| --- | --- |', ...rows].join('\n')
}
