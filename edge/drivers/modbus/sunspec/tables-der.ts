import type { GroupTable, Table } from './table.ts'

/**
 * Ratings, settings and curves of distributed energy resources (IEEE 1547-2018), models 702 to 712: facts of the SunSpec
 * Information Models, as in tables.ts.
 */

const ON = '0 Disabled/停用, 1 Enabled/启用'
const ADOPTED = '0 In progress/进行中, 1 Completed/已完成, 2 Failed/失败'
const ACCESS = '0 Writable/可写, 1 Read only/只读'
const DEPENDENT =
  '0 Percent of maximum W/最大有功百分比, 1 Percent of maximum var/最大无功百分比, 2 Percent of available var/可用无功百分比, 3 Percent of maximum VA/最大视在功率百分比'
const PRIORITY = '0 Active power/有功优先, 1 Reactive power/无功优先, 2 Vendor/厂商'

/** What every model with stored curves begins with, up to its counts. */
const ADOPT = `
Ena! enum16 = Enabled/启用; ${ON}
AdptCrvReq! uint16 = Curve to adopt/拟采用曲线
AdptCrvRslt! enum16 = Adoption/采用结果; ${ADOPTED}
NPt count`
const REVERT = `
NCrv count
RvrtTms uint32 - s = Reversion time/恢复时间
RvrtRem uint32 - s = Reversion time remaining/剩余恢复时间
RvrtCrv uint16 = Reversion curve/恢复曲线`

const curve = (head: string, point: string): GroupTable => ({
  label: 'Curve/曲线',
  isSets: true,
  points: head,
  groups: [{ label: 'Point/点', times: { count: 'NPt' }, points: point }],
})

/** Models 707 to 710: three curves a set. */
function trip(id: number, label: string, point: string, factor: string): Table {
  const time = 'Tms uint32 Tms_SF s = Time/时间'
  const kept = (name: string): GroupTable => ({
    label: name,
    times: 'once',
    points: 'ActPt uint16 = Points/点数',
    groups: [{ label: 'Point/点', times: { count: 'NPt' }, points: `${point}\n${time}` }],
  })
  return {
    ...{ ids: [id], kind: 'inverter', label, isNamed: true, isSetting: true },
    points: `${ADOPT}\nNCrvSet count\n${factor}! sunssf\nTms_SF! sunssf`,
    groups: [
      {
        label: 'Set/组',
        isSets: true,
        points: `ReadOnly enum16 = Access/访问; ${ACCESS}`,
        groups: ['Must trip/必须跳闸', 'May trip/可以跳闸', 'Momentary cessation/暂停输出'].map(kept),
      },
    ],
  }
}
const VOLTAGE = 'V uint16 V_SF % = Voltage/电压'
const FREQUENCY = 'Hz uint32 Hz_SF Hz = Frequency/频率'

export const DER_TABLES: readonly Table[] = [
  {
    ids: [702],
    kind: 'inverter',
    label: 'Capacity/容量',
    isSetting: true,
    points: `
WMaxRtg uint16 W_SF W = Active power rating/额定有功功率
WOvrExtRtg uint16 W_SF W = Active power rating over-excited/过励额定有功功率
WOvrExtRtgPF uint16 PF_SF - = Power factor of over-excited rating/过励额定功率的功率因数
WUndExtRtg uint16 W_SF W = Active power rating under-excited/欠励额定有功功率
WUndExtRtgPF uint16 PF_SF - = Power factor of under-excited rating/欠励额定功率的功率因数
VAMaxRtg uint16 VA_SF VA = Apparent power rating/额定视在功率
VarMaxInjRtg uint16 Var_SF var = Reactive power rating injected/额定注入无功功率
VarMaxAbsRtg uint16 Var_SF var = Reactive power rating absorbed/额定吸收无功功率
WChaRteMaxRtg uint16 W_SF W = Charge power rating/额定充电功率
WDisChaRteMaxRtg uint16 W_SF W = Discharge power rating/额定放电功率
VAChaRteMaxRtg uint16 VA_SF VA = Charge apparent power rating/额定充电视在功率
VADisChaRteMaxRtg uint16 VA_SF VA = Discharge apparent power rating/额定放电视在功率
VNomRtg uint16 V_SF V = Nominal voltage rating/额定标称电压
VMaxRtg uint16 V_SF V = Maximum voltage rating/额定最高电压
VMinRtg uint16 V_SF V = Minimum voltage rating/额定最低电压
AMaxRtg uint16 A_SF A = Maximum current rating/额定最大电流
PFOvrExtRtg uint16 PF_SF - = Power factor rating over-excited/过励额定功率因数
PFUndExtRtg uint16 PF_SF - = Power factor rating under-excited/欠励额定功率因数
ReactSusceptRtg uint16 S_SF S = Reactive susceptance rating/额定电纳
NorOpCatRtg enum16 = Normal operating category/正常运行类别
AbnOpCatRtg enum16 = Abnormal operating category/异常运行类别
CtrlModes bitfield32 = Supported control modes/支持的控制方式
IntIslandCatRtg bitfield16 = Intentional island categories supported/支持的计划孤岛类别
WMax uint16 W_SF W = Active power setting/有功功率设定
WMaxOvrExt uint16 W_SF W = Active power setting over-excited/过励有功功率设定
WOvrExtPF uint16 PF_SF - = Power factor of over-excited setting/过励设定的功率因数
WMaxUndExt uint16 W_SF W = Active power setting under-excited/欠励有功功率设定
WUndExtPF uint16 PF_SF - = Power factor of under-excited setting/欠励设定的功率因数
VAMax uint16 VA_SF VA = Apparent power setting/视在功率设定
VarMaxInj uint16 Var_SF var = Reactive power setting injected/注入无功功率设定
VarMaxAbs uint16 Var_SF var = Reactive power setting absorbed/吸收无功功率设定
WChaRteMax uint16 W_SF W = Charge power setting/充电功率设定
WDisChaRteMax uint16 W_SF W = Discharge power setting/放电功率设定
VAChaRteMax uint16 VA_SF VA = Charge apparent power setting/充电视在功率设定
VADisChaRteMax uint16 VA_SF VA = Discharge apparent power setting/放电视在功率设定
VNom uint16 V_SF V = Nominal voltage setting/标称电压设定
VMax uint16 V_SF V = Maximum voltage setting/最高电压设定
VMin uint16 V_SF V = Minimum voltage setting/最低电压设定
AMax uint16 A_SF A = Maximum current setting/最大电流设定
PFOvrExt uint16 PF_SF - = Power factor setting over-excited/过励功率因数设定
PFUndExt uint16 PF_SF - = Power factor setting under-excited/欠励功率因数设定
IntIslandCat bitfield16 = Intentional island categories/计划孤岛类别
W_SF sunssf
PF_SF sunssf
VA_SF sunssf
Var_SF sunssf
V_SF sunssf
A_SF sunssf
S_SF sunssf`,
  },
  {
    ids: [703],
    kind: 'inverter',
    label: 'Enter service/并网投入',
    isNamed: true,
    isSetting: true,
    points: `
ES enum16 = Permitted/允许; ${ON}
ESVHi uint16 V_SF % = Voltage high/电压上限
ESVLo uint16 V_SF % = Voltage low/电压下限
ESHzHi uint32 Hz_SF Hz = Frequency high/频率上限
ESHzLo uint32 Hz_SF Hz = Frequency low/频率下限
ESDlyTms uint32 - s = Delay/延时
ESRndTms uint32 - s = Random delay/随机延时
ESRmpTms uint32 - s = Ramp time/爬坡时间
ESDlyRemTms uint32 - s = Delay remaining/剩余延时
V_SF sunssf
Hz_SF sunssf`,
  },
  {
    ids: [704],
    kind: 'inverter',
    label: 'AC controls/交流控制',
    isSetting: true,
    points: `
PFWInjEna enum16 = Power factor injecting enabled/注入功率因数启用; ${ON}
PFWInjEnaRvrt enum16 = Power factor injecting reversion enabled/注入功率因数恢复启用; ${ON}
PFWInjRvrtTms uint32 - s = Power factor injecting reversion time/注入功率因数恢复时间
PFWInjRvrtRem uint32 - s = Power factor injecting reversion remaining/注入功率因数剩余恢复时间
PFWAbsEna enum16 = Power factor absorbing enabled/吸收功率因数启用; ${ON}
PFWAbsEnaRvrt enum16 = Power factor absorbing reversion enabled/吸收功率因数恢复启用; ${ON}
PFWAbsRvrtTms uint32 - s = Power factor absorbing reversion time/吸收功率因数恢复时间
PFWAbsRvrtRem uint32 - s = Power factor absorbing reversion remaining/吸收功率因数剩余恢复时间
WMaxLimPctEna enum16 = Power limit enabled/功率限制启用; ${ON}
WMaxLimPct uint16 WMaxLimPct_SF % = Power limit/功率限制
WMaxLimPctRvrt uint16 WMaxLimPct_SF % = Power limit after reversion/恢复后功率限制
WMaxLimPctEnaRvrt enum16 = Power limit reversion enabled/功率限制恢复启用; ${ON}
WMaxLimPctRvrtTms uint32 - s = Power limit reversion time/功率限制恢复时间
WMaxLimPctRvrtRem uint32 - s = Power limit reversion remaining/功率限制剩余恢复时间
WSetEna enum16 = Active power setpoint enabled/有功功率给定启用; ${ON}
WSetMod enum16 = Active power setpoint mode/有功功率给定方式; 0 Percent of maximum/最大值百分比, 1 Watts/瓦
WSet int32 WSet_SF W = Active power setpoint/有功功率给定
WSetRvrt int32 WSet_SF W = Active power setpoint after reversion/恢复后有功功率给定
WSetPct int16 WSetPct_SF % = Active power setpoint in percent/有功功率百分比给定
WSetPctRvrt int16 WSetPct_SF % = Active power setpoint in percent after reversion/恢复后有功功率百分比给定
WSetEnaRvrt enum16 = Active power setpoint reversion enabled/有功功率给定恢复启用; ${ON}
WSetRvrtTms uint32 - s = Active power setpoint reversion time/有功功率给定恢复时间
WSetRvrtRem uint32 - s = Active power setpoint reversion remaining/有功功率给定剩余恢复时间
VarSetEna enum16 = Reactive power setpoint enabled/无功功率给定启用; ${ON}
VarSetMod enum16 = Reactive power setpoint mode/无功功率给定方式; 0 Percent of maximum W/最大有功百分比, 1 Percent of maximum var/最大无功百分比, 2 Percent of available var/可用无功百分比, 3 var/乏
VarSetPri enum16 = Reactive power setpoint priority/无功功率给定优先; 0 Active power/有功优先, 1 Reactive power/无功优先, 2 IEEE 1547/IEEE 1547, 3 Power factor/功率因数, 4 Vendor/厂商
VarSet int32 VarSet_SF var = Reactive power setpoint/无功功率给定
VarSetRvrt int32 VarSet_SF var = Reactive power setpoint after reversion/恢复后无功功率给定
VarSetPct int16 VarSetPct_SF % = Reactive power setpoint in percent/无功功率百分比给定
VarSetPctRvrt int16 VarSetPct_SF % = Reactive power setpoint in percent after reversion/恢复后无功功率百分比给定
VarSetEnaRvrt enum16 = Reactive power setpoint reversion enabled/无功功率给定恢复启用; ${ON}
VarSetRvrtTms uint32 - s = Reactive power setpoint reversion time/无功功率给定恢复时间
VarSetRvrtRem uint32 - s = Reactive power setpoint reversion remaining/无功功率给定剩余恢复时间
WRmp uint16 - %/s = Normal ramp rate/正常爬坡率
WRmpRef enum16 = Normal ramp rate reference/正常爬坡率基准; 0 Maximum current/最大电流, 1 Maximum active power/最大有功功率
VarRmp uint16 - %/s = Reactive power ramp rate/无功爬坡率
AntiIslEna enum16 = Anti-islanding enabled/防孤岛启用; ${ON}
PF_SF sunssf
WMaxLimPct_SF sunssf
WSet_SF sunssf
WSetPct_SF sunssf
VarSet_SF sunssf
VarSetPct_SF sunssf
PFWInj.PF uint16 PF_SF - = Power factor injecting/注入功率因数
PFWInj.Ext enum16 = Excitation injecting/注入励磁; 0 Over-excited/过励, 1 Under-excited/欠励
PFWInjRvrt.PF uint16 PF_SF - = Power factor injecting after reversion/恢复后注入功率因数
PFWInjRvrt.Ext enum16 = Excitation injecting after reversion/恢复后注入励磁; 0 Over-excited/过励, 1 Under-excited/欠励
PFWAbs.PF uint16 PF_SF - = Power factor absorbing/吸收功率因数
PFWAbs.Ext enum16 = Excitation absorbing/吸收励磁; 0 Over-excited/过励, 1 Under-excited/欠励
PFWAbsRvrt.PF uint16 PF_SF - = Power factor absorbing after reversion/恢复后吸收功率因数
PFWAbsRvrt.Ext enum16 = Excitation absorbing after reversion/恢复后吸收励磁; 0 Over-excited/过励, 1 Under-excited/欠励`,
  },
  {
    ids: [705],
    kind: 'inverter',
    label: 'Volt-var/电压无功',
    isNamed: true,
    isSetting: true,
    points: `${ADOPT}${REVERT}\nV_SF! sunssf\nDeptRef_SF! sunssf\nRspTms_SF! sunssf`,
    groups: [
      curve(
        `
ActPt! uint16 = Points/点数
DeptRef! enum16 = Reference of reactive power/无功基准; ${DEPENDENT}
Pri enum16 = Priority/优先; ${PRIORITY}
VRef uint16 V_SF % = Reference voltage/参考电压
VRefAuto uint16 V_SF % = Autonomous reference voltage/自主参考电压
VRefAutoEna enum16 = Autonomous reference voltage enabled/自主参考电压启用; ${ON}
VRefAutoTms uint16 - s = Autonomous reference voltage time/自主参考电压时间
RspTms uint32 RspTms_SF s = Response time/响应时间
ReadOnly! enum16 = Access/访问; ${ACCESS}`,
        'V uint16 V_SF % = Voltage/电压\nVar int16 DeptRef_SF % = Reactive power/无功功率',
      ),
    ],
  },
  {
    ids: [706],
    kind: 'inverter',
    label: 'Volt-watt/电压有功',
    isNamed: true,
    isSetting: true,
    points: `${ADOPT}${REVERT}\nV_SF! sunssf\nDeptRef_SF! sunssf\nRspTms_SF! sunssf`,
    groups: [
      curve(
        `
ActPt! uint16 = Points/点数
DeptRef! enum16 = Reference of active power/有功基准; 0 Percent of maximum W/最大有功百分比, 1 Percent of available W/可用有功百分比
RspTms uint32 RspTms_SF s = Response time/响应时间
ReadOnly! enum16 = Access/访问; ${ACCESS}`,
        'V uint16 V_SF % = Voltage/电压\nW int16 DeptRef_SF % = Active power/有功功率',
      ),
    ],
  },
  trip(707, 'Low voltage trip/低电压跳闸', VOLTAGE, 'V_SF'),
  trip(708, 'High voltage trip/高电压跳闸', VOLTAGE, 'V_SF'),
  trip(709, 'Low frequency trip/低频跳闸', FREQUENCY, 'Hz_SF'),
  trip(710, 'High frequency trip/高频跳闸', FREQUENCY, 'Hz_SF'),
  {
    ids: [711],
    kind: 'inverter',
    label: 'Frequency droop/频率下垂',
    isNamed: true,
    isSetting: true,
    points: `
Ena! enum16 = Enabled/启用; ${ON}
AdptCtlReq! uint16 = Control to adopt/拟采用控制
AdptCtlRslt! enum16 = Adoption/采用结果; ${ADOPTED}
NCtl count
RvrtTms uint32 - s = Reversion time/恢复时间
RvrtRem uint32 - s = Reversion time remaining/剩余恢复时间
RvrtCtl uint16 = Reversion control/恢复控制
Db_SF! sunssf
K_SF! sunssf
RspTms_SF! sunssf`,
    groups: [
      {
        label: 'Control/控制',
        isSets: true,
        points: `
DbOf! uint32 Db_SF Hz = Deadband over-frequency/过频死区
DbUf! uint32 Db_SF Hz = Deadband under-frequency/欠频死区
KOf! uint16 K_SF - = Droop over-frequency/过频下垂系数
KUf! uint16 K_SF - = Droop under-frequency/欠频下垂系数
RspTms! uint32 RspTms_SF s = Response time/响应时间
PMin int16 - % = Minimum active power/最小有功功率
ReadOnly! enum16 = Access/访问; ${ACCESS}`,
      },
    ],
  },
  {
    ids: [712],
    kind: 'inverter',
    label: 'Watt-var/有功无功',
    isNamed: true,
    isSetting: true,
    points: `${ADOPT}${REVERT}\nW_SF! sunssf\nDeptRef_SF! sunssf`,
    groups: [
      curve(
        `
ActPt! uint16 = Points/点数
DeptRef! enum16 = Reference of reactive power/无功基准; ${DEPENDENT}
Pri enum16 = Priority/优先; 0 Active power/有功优先, 1 Reactive power/无功优先
ReadOnly! enum16 = Access/访问; ${ACCESS}`,
        'W int16 W_SF % = Active power/有功功率\nVar int16 DeptRef_SF % = Reactive power/无功功率',
      ),
    ],
  },
]
