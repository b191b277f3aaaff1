import type { Table } from './table.ts'

/** Batteries: the bank, its strings, their modules and cells. Facts of the SunSpec Information Models, as in tables.ts. */

const FAILURE =
  '0 None/无, 1 Button pushed/按钮按下, 2 Ground fault/接地故障, 3 Outside voltage range/电压越限, 4 String not enabled/组串未启用, 5 Fuse open/熔断, 6 Contactor failure/接触器故障, 7 Precharge failure/预充失败, 8 String fault/组串故障'

export const BATTERY_TABLES: readonly Table[] = [
  {
    ids: [802],
    kind: 'battery',
    label: 'Battery/电池',
    points: `
AHRtg! uint16 AHRtg_SF Ah = Charge capacity/额定容量
WHRtg! uint16 WHRtg_SF Wh = Energy capacity/额定电能
WChaRteMax! uint16 WChaDisChaMax_SF W = Maximum charge rate/最大充电功率
WDisChaRteMax! uint16 WChaDisChaMax_SF W = Maximum discharge rate/最大放电功率
DisChaRte uint16 DisChaRte_SF % = Self discharge rate/自放电率
SoCMax uint16 SoC_SF % = Maximum state of charge/最大荷电状态
SoCMin uint16 SoC_SF % = Minimum state of charge/最小荷电状态
SoCRsvMax uint16 SoC_SF % = Maximum reserve/最大储备
SoCRsvMin uint16 SoC_SF % = Minimum reserve/最小储备
SoC! uint16 SoC_SF % = State of charge/荷电状态
DoD uint16 DoD_SF % = Depth of discharge/放电深度
SoH uint16 SoH_SF % = State of health/健康状态
NCyc uint32 = Cycles/循环次数
ChaSt enum16 = Charge status/充电状态; 1 Off/关闭, 2 Empty/电量空, 3 Discharging/放电, 4 Charging/充电, 5 Full/充满, 6 Holding/保持, 7 Testing/测试
LocRemCtl! enum16 = Control mode/控制方式; 0 Remote/远程, 1 Local/就地
Hb uint16
CtrlHb uint16
AlmRst! uint16
Typ! enum16 = Battery type/电池类型; 0 Unknown/未知, 1 Lead acid/铅酸, 2 Nickel metal hydride/镍氢, 3 Nickel cadmium/镍镉, 4 Lithium ion/锂离子, 5 Carbon zinc/碳锌, 6 Zinc chloride/氯化锌, 7 Alkaline/碱性, 8 Rechargeable alkaline/可充碱性, 9 Sodium sulfur/钠硫, 10 Flow/液流, 99 Other/其他
State! enum16 = State/运行状态; 1 Disconnected/已断开, 2 Initializing/初始化, 3 Connected/已连接, 4 Standby/待机, 5 SoC protection/电量保护, 6 Suspending/暂停中, 99 Fault/故障
StateVnd enum16 = Vendor state/厂商状态
WarrDt uint32
Evt1! bitfield32 = Event flags/事件标志
Evt2! bitfield32 = Event flags 2/事件标志2
EvtVnd1! bitfield32 = Vendor event flags 1/厂商事件标志1
EvtVnd2! bitfield32 = Vendor event flags 2/厂商事件标志2
V! uint16 V_SF V = Voltage/电压
VMax uint16 V_SF V = Maximum voltage/最高电压
VMin uint16 V_SF V = Minimum voltage/最低电压
CellVMax uint16 CellV_SF V = Highest cell voltage/最高单体电压
CellVMaxStr uint16 = String of the highest cell/最高单体所在组串
CellVMaxMod uint16 = Module of the highest cell/最高单体所在模组
CellVMin uint16 CellV_SF V = Lowest cell voltage/最低单体电压
CellVMinStr uint16 = String of the lowest cell/最低单体所在组串
CellVMinMod uint16 = Module of the lowest cell/最低单体所在模组
CellVAvg uint16 CellV_SF V = Average cell voltage/平均单体电压
A! int16 A_SF A = Current/电流
AChaMax uint16 AMax_SF A = Maximum charge current/最大充电电流
ADisChaMax uint16 AMax_SF A = Maximum discharge current/最大放电电流
W! int16 W_SF W = Power/功率
ReqInvState enum16 = Inverter state request/逆变器状态请求; 0 No request/无请求, 1 Start/启动, 2 Stop/停止
ReqW int16 W_SF W = Requested power/请求功率
SetOp! enum16
SetInvState! enum16
AHRtg_SF! sunssf
WHRtg_SF! sunssf
WChaDisChaMax_SF! sunssf
DisChaRte_SF sunssf
SoC_SF! sunssf
DoD_SF sunssf
SoH_SF sunssf
V_SF! sunssf
CellV_SF! sunssf
A_SF! sunssf
AMax_SF! sunssf
W_SF sunssf`,
  },
  {
    ids: [803],
    kind: 'battery',
    label: 'Battery bank/电池组',
    // The average temperature of modules has no scale factor in the published table, so what its number means is not known.
    points: `
NStr! uint16 = Strings/组串数
NStrCon! uint16 = Strings connected/已连接组串数
ModTmpMax! int16 ModTmp_SF °C = Highest module temperature/模组最高温度
ModTmpMaxStr uint16 = String of the highest module temperature/模组最高温度所在组串
ModTmpMaxMod uint16 = Module of the highest temperature/最高温度所在模组
ModTmpMin! int16 ModTmp_SF °C = Lowest module temperature/模组最低温度
ModTmpMinStr uint16 = String of the lowest module temperature/模组最低温度所在组串
ModTmpMinMod uint16 = Module of the lowest temperature/最低温度所在模组
ModTmpAvg int16
StrVMax uint16 V_SF V = Highest string voltage/组串最高电压
StrVMaxStr uint16 = String of the highest voltage/最高电压所在组串
StrVMin uint16 V_SF V = Lowest string voltage/组串最低电压
StrVMinStr uint16 = String of the lowest voltage/最低电压所在组串
StrVAvg uint16 V_SF V = Average string voltage/组串平均电压
StrAMax int16 A_SF A = Highest string current/组串最大电流
StrAMaxStr uint16 = String of the highest current/最大电流所在组串
StrAMin int16 A_SF A = Lowest string current/组串最小电流
StrAMinStr uint16 = String of the lowest current/最小电流所在组串
StrAAvg int16 A_SF A = Average string current/组串平均电流
NCellBal uint16 = Cells being balanced/均衡中单体数
CellV_SF! sunssf
ModTmp_SF! sunssf
A_SF! sunssf
SoH_SF sunssf
SoC_SF! sunssf
V_SF sunssf`,
    groups: [
      {
        label: 'String/组串',
        points: `
StrNMod! uint16 = Modules/模组数
StrSt! bitfield32 = Status flags/状态标志
StrConFail enum16 = Connection failure/连接失败; ${FAILURE}
StrSoC! uint16 SoC_SF % = State of charge/荷电状态
StrSoH uint16 SoH_SF % = State of health/健康状态
StrA! int16 A_SF A = Current/电流
StrCellVMax! uint16 CellV_SF V = Highest cell voltage/最高单体电压
StrCellVMaxMod uint16 = Module of the highest cell/最高单体所在模组
StrCellVMin! uint16 CellV_SF V = Lowest cell voltage/最低单体电压
StrCellVMinMod uint16 = Module of the lowest cell/最低单体所在模组
StrCellVAvg! uint16 CellV_SF V = Average cell voltage/平均单体电压
StrModTmpMax! int16 ModTmp_SF °C = Highest module temperature/模组最高温度
StrModTmpMaxMod uint16 = Module of the highest temperature/最高温度所在模组
StrModTmpMin! int16 ModTmp_SF °C = Lowest module temperature/模组最低温度
StrModTmpMinMod uint16 = Module of the lowest temperature/最低温度所在模组
StrModTmpAvg! int16 ModTmp_SF °C = Average module temperature/模组平均温度
StrDisRsn enum16 = Disabled because/停用原因; 0 None/无, 1 Fault/故障, 2 Maintenance/维护, 3 External/外部, 4 Other/其他
StrConSt bitfield32 = Contactor flags/接触器标志
StrEvt1! bitfield32 = Event flags/事件标志
StrEvt2 bitfield32 = Event flags 2/事件标志2
StrEvtVnd1 bitfield32 = Vendor event flags 1/厂商事件标志1
StrEvtVnd2 bitfield32 = Vendor event flags 2/厂商事件标志2
StrSetEna enum16
StrSetCon enum16
Pad1 pad
Pad2 pad`,
      },
    ],
  },
  {
    ids: [804],
    kind: 'battery',
    label: 'Battery string/电池组串',
    index: { Idx: 'String/组串' },
    // The cell with the lowest voltage is given a voltage's factor in the published table, which a number of a cell cannot have.
    points: `
Idx! uint16
NMod! uint16 = Modules/模组数
St! bitfield32 = Status flags/状态标志
ConFail enum16 = Connection failure/连接失败; ${FAILURE}
NCellBal uint16 = Cells being balanced/均衡中单体数
SoC! uint16 SoC_SF % = State of charge/荷电状态
DoD uint16 DoD_SF % = Depth of discharge/放电深度
NCyc uint32 = Cycles/循环次数
SoH uint16 SoH_SF % = State of health/健康状态
A! int16 A_SF A = Current/电流
V uint16 V_SF V = Voltage/电压
CellVMax! uint16 CellV_SF V = Highest cell voltage/最高单体电压
CellVMaxMod uint16 = Module of the highest cell/最高单体所在模组
CellVMin! uint16 CellV_SF V = Lowest cell voltage/最低单体电压
CellVMinMod uint16 = Module of the lowest cell/最低单体所在模组
CellVAvg! uint16 CellV_SF V = Average cell voltage/平均单体电压
ModTmpMax! int16 ModTmp_SF °C = Highest module temperature/模组最高温度
ModTmpMaxMod! uint16 = Module of the highest temperature/最高温度所在模组
ModTmpMin! int16 ModTmp_SF °C = Lowest module temperature/模组最低温度
ModTmpMinMod! uint16 = Module of the lowest temperature/最低温度所在模组
ModTmpAvg! int16 ModTmp_SF °C = Average module temperature/模组平均温度
Pad1 pad
ConSt bitfield32 = Contactor flags/接触器标志
Evt1! bitfield32 = Event flags/事件标志
Evt2 bitfield32 = Event flags 2/事件标志2
EvtVnd1 bitfield32 = Vendor event flags 1/厂商事件标志1
EvtVnd2 bitfield32 = Vendor event flags 2/厂商事件标志2
SetEna enum16
SetCon enum16
SoC_SF! sunssf
SoH_SF sunssf
DoD_SF sunssf
A_SF! sunssf
V_SF sunssf
CellV_SF! sunssf
ModTmp_SF! sunssf
Pad2 pad
Pad3 pad
Pad4 pad`,
    groups: [
      {
        label: 'Module/模组',
        points: `
ModNCell! uint16 = Cells/单体数
ModSoC uint16 SoC_SF % = State of charge/荷电状态
ModSoH uint16 SoH_SF % = State of health/健康状态
ModCellVMax! uint16 CellV_SF V = Highest cell voltage/最高单体电压
ModCellVMaxCell uint16 = Cell of the highest voltage/最高电压单体
ModCellVMin! uint16 CellV_SF V = Lowest cell voltage/最低单体电压
ModCellVMinCell uint16
ModCellVAvg! uint16 CellV_SF V = Average cell voltage/平均单体电压
ModCellTmpMax! int16 ModTmp_SF °C = Highest cell temperature/最高单体温度
ModCellTmpMaxCell uint16 = Cell of the highest temperature/最高温度单体
ModCellTmpMin! int16 ModTmp_SF °C = Lowest cell temperature/最低单体温度
ModCellTmpMinCell uint16 = Cell of the lowest temperature/最低温度单体
ModCellTmpAvg! int16 ModTmp_SF °C = Average cell temperature/平均单体温度
Pad5 pad
Pad6 pad
Pad7 pad`,
      },
    ],
  },
  {
    ids: [805],
    kind: 'battery',
    label: 'Battery module/电池模组',
    index: { StrIdx: 'String/组串', ModIdx: 'Module/模组' },
    points: `
StrIdx! uint16
ModIdx! uint16
NCell! uint16 = Cells/单体数
SoC uint16 SoC_SF % = State of charge/荷电状态
DoD uint16 DoD_SF % = Depth of discharge/放电深度
SoH uint16 SoH_SF % = State of health/健康状态
NCyc uint32 = Cycles/循环次数
V! uint16 V_SF V = Voltage/电压
CellVMax! uint16 CellV_SF V = Highest cell voltage/最高单体电压
CellVMaxCell uint16 = Cell of the highest voltage/最高电压单体
CellVMin! uint16 CellV_SF V = Lowest cell voltage/最低单体电压
CellVMinCell uint16 = Cell of the lowest voltage/最低电压单体
CellVAvg! uint16 CellV_SF V = Average cell voltage/平均单体电压
CellTmpMax! int16 Tmp_SF °C = Highest cell temperature/最高单体温度
CellTmpMaxCell uint16 = Cell of the highest temperature/最高温度单体
CellTmpMin! int16 Tmp_SF °C = Lowest cell temperature/最低单体温度
CellTmpMinCell uint16 = Cell of the lowest temperature/最低温度单体
CellTmpAvg! int16 Tmp_SF °C = Average cell temperature/平均单体温度
NCellBal uint16 = Cells being balanced/均衡中单体数
SN string:16 = Serial number/序列号
SoC_SF sunssf
SoH_SF sunssf
DoD_SF sunssf
V_SF! sunssf
CellV_SF! sunssf
Tmp_SF! sunssf`,
    groups: [
      {
        label: 'Cell/单体',
        points: `
CellV! uint16 CellV_SF V = Voltage/电压
CellTmp! int16 Tmp_SF °C = Temperature/温度
CellSt bitfield32 = Status flags/状态标志`,
      },
    ],
  },
]
