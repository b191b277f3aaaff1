import type { IncomingHttpHeaders } from 'node:http'
import type { LossKind } from '#edge/drivers/driver.ts'
import { edgeCall } from '#shared/own-files/own-files.ts'
import type { TroubleKind } from '#shared/reach/probe.ts'
import { cookieOf } from './door.ts'

export type Language = 'en' | 'zh-CN'

/** Picks the page's language from the Accept-Language header: Chinese when it is wanted before English. */
export function languageOf(header: string | undefined): Language {
  const wanted = (header ?? '').split(',').map((part) => {
    const [tag = '', ...parameters] = part.trim().split(';')
    const weight = parameters.find((parameter) => parameter.trim().startsWith('q='))
    return { tag: tag.toLowerCase(), weight: weight ? Number(weight.trim().slice(2)) || 0 : 1 }
  })
  const best = (prefix: string) =>
    Math.max(0, ...wanted.filter(({ tag }) => tag.startsWith(prefix)).map((w) => w.weight))
  return best('zh') > best('en') ? 'zh-CN' : 'en'
}

const LANGUAGE_COOKIE = 'andon_edge_language'

/** The language that a person chose on the page; undefined while nobody did. */
export function languageCookie(headers: IncomingHttpHeaders): Language | undefined {
  const chosen = cookieOf(headers, LANGUAGE_COOKIE)
  return chosen === 'en' || chosen === 'zh-CN' ? chosen : undefined
}

/** Keeps the choice in the browser for a year. */
export const rememberLanguage = (language: Language): string =>
  `${LANGUAGE_COOKIE}=${language}; SameSite=Strict; Path=/; Max-Age=31536000`

/** What happened to a link, and what to do. */
interface LossWords {
  readonly what: string
  readonly next: string
}

const EN_LOSS: Readonly<Record<LossKind, LossWords>> = {
  refused: {
    what: 'Nobody listens at this address.',
    next: 'Check address and port, and that the device is on and its protocol enabled.',
  },
  'unknown-host': { what: 'The host name is not known.', next: 'Check the name, or write the IP address.' },
  unreachable: {
    what: 'There is no way to this address.',
    next: 'Check cable, switch and network settings of this box.',
  },
  'connect-timeout': {
    what: 'The address gives no answer at all.',
    next: 'Check that the device is on, its cable, and that no firewall stands between.',
  },
  'serial-port': {
    what: 'The serial port cannot be opened.',
    next: 'Check its path, that the adapter is plugged in, and that this user may use it (group dialout).',
  },
  silent: {
    what: 'The link stands, but the unit does not answer.',
    next: 'Check the unit number, and the serial side when it is behind a gateway.',
  },
  closed: {
    what: 'The device closed the link.',
    next: 'Check whether it allows enough connections and was not restarted.',
  },
  'not-the-protocol': {
    what: 'What answers does not speak this protocol.',
    next: 'Check the port: another service may listen there.',
  },
  untrusted: {
    what: 'The server’s certificate is not trusted yet.',
    next: `Compare its thumbprint with what the server shows, then trust it under Tools, Certificates (or: ${edgeCall('certificates --trust THUMBPRINT')}).`,
  },
  'certificate-time': {
    what: 'A certificate has expired, or is not valid yet.',
    next: 'Check the clock of both sides, then renew the certificate that the technical text names.',
  },
  credentials: { what: 'The server refuses this user.', next: 'Check user name and password.' },
  'driver-process': {
    what: 'The driver’s own process stopped.',
    next: 'It is started again by itself; if this repeats, read the log.',
  },
  other: { what: 'The link is lost.', next: 'Read the technical text, then the log.' },
}

const ZH_LOSS: Readonly<Record<LossKind, LossWords>> = {
  refused: { what: '该地址无人监听。', next: '检查地址和端口，确认设备已开机且协议已启用。' },
  'unknown-host': { what: '无法解析主机名。', next: '检查名称，或直接填写 IP 地址。' },
  unreachable: { what: '没有到该地址的路由。', next: '检查网线、交换机和本机网络设置。' },
  'connect-timeout': { what: '该地址毫无应答。', next: '检查设备是否开机、网线是否接好、中间有无防火墙。' },
  'serial-port': {
    what: '无法打开串口。',
    next: '检查串口路径、适配器是否插好，以及当前用户是否有权使用（dialout 组）。',
  },
  silent: { what: '链路已建立，但单元不应答。', next: '检查单元号；若在网关之后，检查串口侧。' },
  closed: { what: '设备关闭了连接。', next: '检查设备允许的连接数，以及是否重启过。' },
  'not-the-protocol': { what: '对方使用的不是此协议。', next: '检查端口：可能是其他服务。' },
  untrusted: {
    what: '服务器证书尚未受信任。',
    next: `与服务器核对指纹，然后在“工具”的证书页信任（或运行：${edgeCall('certificates --trust 指纹')}）。`,
  },
  'certificate-time': { what: '证书已过期或尚未生效。', next: '核对双方时钟，然后更新技术信息中指出的证书。' },
  credentials: { what: '服务器拒绝此用户。', next: '检查用户名和密码。' },
  'driver-process': { what: '驱动进程已停止。', next: '会自动重启；若反复出现，请查看日志。' },
  other: { what: '链路已断开。', next: '先看技术信息，再看日志。' },
}

const SILENT_NAMES: Readonly<Record<Language, LossWords>> = {
  en: {
    what: 'The host name cannot be looked up: no name server answers.',
    next: 'Check the DNS setting of this box, or write the IP address.',
  },
  'zh-CN': { what: '无法查询主机名：域名服务器无应答。', next: '检查本机 DNS 设置，或直接填写 IP 地址。' },
}

/** What happened to a link and what to do next, in plain words. */
export const lossWords = (kind: LossKind, language: Language): LossWords =>
  (language === 'zh-CN' ? ZH_LOSS : EN_LOSS)[kind]

/** What is wrong with an address of edge.yaml and what to do next; a lost link of the same kind has the same words. */
export function troubleWords(kind: TroubleKind, language: Language): LossWords {
  if (kind === 'silent-names') return SILENT_NAMES[language]
  return lossWords(kind === 'foreign' ? 'other' : kind, language)
}
