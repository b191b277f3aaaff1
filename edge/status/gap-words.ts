import type { GapCause } from '#shared/contracts/gap.ts'
import type { Language } from './words.ts'

type CauseWords = Readonly<Record<GapCause, readonly [en: string, zh: string]>>

const CAUSES: CauseWords = {
  'unclean-stop': [
    'The box was switched off or the agent ended without a stop. Check its power supply.',
    '本机断电或程序未正常停止。请检查供电。',
  ],
  'disk-limit': [
    'The disk or the journal’s limit was full. Give it more room, or bring the cloud link back sooner.',
    '磁盘或日志限额已满。请增加空间，或尽快恢复云端连接。',
  ],
  'age-limit': [
    'Older than the journal keeps. Raise journal.maxAgeHours, or bring the cloud link back sooner.',
    '超过日志保留时长。请提高 journal.maxAgeHours，或尽快恢复云端连接。',
  ],
  thinned: [
    'Thinned to save room: the lowest, highest and last value of each interval stayed. Bring the cloud link back.',
    '为节省空间已抽稀：每个时间段保留了最低、最高和最后的值。请恢复云端连接。',
  ],
  corrupt: [
    'Damaged on disk. Check the disk or memory card of this box.',
    '磁盘上的数据损坏。请检查本机磁盘或存储卡。',
  ],
  'clock-jump': ['The clock of this box was set. Check its time service.', '本机时钟被调整。请检查时间同步服务。'],
  'device-silent': ['The device did not report for a time. Look at its link.', '设备一段时间没有上报。请查看其链路。'],
  'queue-overflow': [
    'The server threw values away because its queue was full. Raise the publishing rate or the scan period.',
    '服务器队列已满，丢弃了一些值。请加快发布或放慢扫描。',
  ],
  freed: ['Given up by the host.', '由主机放弃。'],
  'take-over': ['The host changed hands.', '主机切换。'],
  'set-aside': ['The host could not use it and has set it aside.', '主机无法使用，已另行存放。'],
}

/** Why samples are missing, and what to do. */
export const causeWords = (cause: GapCause, language: Language): string => CAUSES[cause][language === 'zh-CN' ? 1 : 0]
