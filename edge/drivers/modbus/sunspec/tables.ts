import type { Table } from './table.ts'
import { BATTERY_TABLES } from './tables-battery.ts'
import { DER_TABLES } from './tables-der.ts'

/**
 * Points of SunSpec models in their order on the wire, in Andon's own notation (`pointOf` in models.ts reads it): facts of the
 * SunSpec Information Models, https://github.com/sunspec/models, which are published under the Apache License 2.0
 * (LICENSE-APACHE-2.0.txt beside this file). Labels, Chinese texts and the choice of points are Andon's.
 */
export const TABLES: readonly Table[] = [
  ...DER_TABLES,
  ...BATTERY_TABLES,
  {
    ids: [1],
    kind: 'common',
    label: 'Device/设备',
    points: `
Mn! string:16 = Manufacturer/制造商
Md! string:16 = Model/型号
Opt string:8 = Options/选件
Vr string:8 = Firmware version/固件版本
SN! string:16 = Serial number/序列号
DA uint16
Pad pad`,
  },
  {
    ids: [101, 102, 103],
    floatIds: [111, 112, 113],
    kind: 'inverter',
    label: 'Inverter/逆变器',
    points: `
A! uint16 A_SF A = AC current/交流电流
AphA! uint16 A_SF A = Current phase A/A相电流
AphB uint16 A_SF A = Current phase B/B相电流
AphC uint16 A_SF A = Current phase C/C相电流
A_SF! sunssf
PPVphAB uint16 V_SF V = Voltage A-B/AB线电压
PPVphBC uint16 V_SF V = Voltage B-C/BC线电压
PPVphCA uint16 V_SF V = Voltage C-A/CA线电压
PhVphA! uint16 V_SF V = Voltage phase A/A相电压
PhVphB uint16 V_SF V = Voltage phase B/B相电压
PhVphC uint16 V_SF V = Voltage phase C/C相电压
V_SF! sunssf
W! int16 W_SF W = AC power/交流功率
W_SF! sunssf
Hz! uint16 Hz_SF Hz = Frequency/频率
Hz_SF! sunssf
VA int16 VA_SF VA = Apparent power/视在功率
VA_SF sunssf
VAr int16 VAr_SF var = Reactive power/无功功率
VAr_SF sunssf
PF int16 PF_SF % = Power factor/功率因数
PF_SF sunssf
WH! acc32 WH_SF Wh = AC energy/累计发电量
WH_SF! sunssf
DCA uint16 DCA_SF A = DC current/直流电流
DCA_SF sunssf
DCV uint16 DCV_SF V = DC voltage/直流电压
DCV_SF sunssf
DCW int16 DCW_SF W = DC power/直流功率
DCW_SF sunssf
TmpCab! int16 Tmp_SF °C = Cabinet temperature/机柜温度
TmpSnk int16 Tmp_SF °C = Heat sink temperature/散热器温度
TmpTrns int16 Tmp_SF °C = Transformer temperature/变压器温度
TmpOt int16 Tmp_SF °C = Other temperature/其他温度
Tmp_SF! sunssf
St! enum16 = State/运行状态; 1 Off/关机, 2 Sleeping/休眠, 3 Starting/启动中, 4 MPPT/最大功率跟踪, 5 Throttled/限功率, 6 Shutting down/停机中, 7 Fault/故障, 8 Standby/待机
StVnd enum16 = Vendor state/厂商状态
Evt1! bitfield32 = Event flags/事件标志
Evt2! bitfield32 = Event flags 2/事件标志2
EvtVnd1 bitfield32 = Vendor event flags 1/厂商事件标志1
EvtVnd2 bitfield32 = Vendor event flags 2/厂商事件标志2
EvtVnd3 bitfield32 = Vendor event flags 3/厂商事件标志3
EvtVnd4 bitfield32 = Vendor event flags 4/厂商事件标志4`,
  },
  {
    ids: [160],
    kind: 'inverter',
    label: 'DC inputs/直流输入',
    points: `
DCA_SF sunssf
DCV_SF sunssf
DCW_SF sunssf
DCWH_SF sunssf
Evt bitfield32 = DC event flags/直流事件标志
N count
TmsPer uint16`,
    groups: [
      {
        label: 'Input/输入',
        points: `
ID uint16
IDStr string:8
DCA uint16 DCA_SF A = DC current/直流电流
DCV uint16 DCV_SF V = DC voltage/直流电压
DCW uint16 DCW_SF W = DC power/直流功率
DCWH acc32 DCWH_SF Wh = DC energy/直流电能
Tms uint32
Tmp int16 - °C = Temperature/温度
DCSt enum16 = State/状态; 1 Off/关机, 2 Sleeping/休眠, 3 Starting/启动中, 4 MPPT/最大功率跟踪, 5 Throttled/限功率, 6 Shutting down/停机中, 7 Fault/故障, 8 Standby/待机, 9 Test/测试
DCEvt bitfield32 = Event flags/事件标志`,
      },
    ],
  },
  {
    ids: [701],
    kind: 'inverter',
    label: 'AC measurement/交流测量',
    points: `
ACType enum16 = AC wiring/交流接线; 1 Single phase/单相, 2 Split phase/分相, 3 Three phase/三相
St enum16 = Operating state/工作状态; 1 Off/关闭, 2 On/开启
InvSt enum16 = State/运行状态; 1 Off/关机, 2 Sleeping/休眠, 3 Starting/启动中, 4 MPPT/最大功率跟踪, 5 Throttled/限功率, 6 Shutting down/停机中, 7 Fault/故障, 8 Standby/待机
ConnSt enum16 = Grid connection/并网状态; 1 Disconnected/已断开, 2 Connected/已连接
Alrm bitfield32 = Alarm flags/报警标志
DERMode bitfield32 = Operating modes/运行模式
W int16 W_SF W = AC power/交流功率
VA int16 VA_SF VA = Apparent power/视在功率
Var int16 Var_SF var = Reactive power/无功功率
PF uint16 PF_SF - = Power factor/功率因数
A int16 A_SF A = AC current/交流电流
LLV int16 V_SF V = Line voltage/线电压
LNV int16 V_SF V = Phase voltage/相电压
Hz uint32 Hz_SF Hz = Frequency/频率
TotWhInj uint64 TotWh_SF Wh = Energy injected/注入电能
TotWhAbs uint64 TotWh_SF Wh = Energy absorbed/吸收电能
TotVarhInj uint64 TotVarh_SF varh = Reactive energy injected/注入无功电能
TotVarhAbs uint64 TotVarh_SF varh = Reactive energy absorbed/吸收无功电能
TmpAmb int16 Tmp_SF °C = Ambient temperature/环境温度
TmpCab int16 Tmp_SF °C = Cabinet temperature/机柜温度
TmpSnk int16 Tmp_SF °C = Heat sink temperature/散热器温度
TmpTrns int16 Tmp_SF °C = Transformer temperature/变压器温度
TmpSw int16 Tmp_SF °C = Power switch temperature/功率管温度
TmpOt int16 Tmp_SF °C = Other temperature/其他温度
WL1 int16 W_SF W = AC power L1/L1交流功率
VAL1 int16 VA_SF VA = Apparent power L1/L1视在功率
VarL1 int16 Var_SF var = Reactive power L1/L1无功功率
PFL1 uint16 PF_SF - = Power factor L1/L1功率因数
AL1 int16 A_SF A = Current L1/L1电流
VL1L2 int16 V_SF V = Voltage L1-L2/L1-L2电压
VL1 int16 V_SF V = Voltage L1/L1电压
TotWhInjL1 uint64 TotWh_SF Wh = Energy injected L1/L1注入电能
TotWhAbsL1 uint64 TotWh_SF Wh = Energy absorbed L1/L1吸收电能
TotVarhInjL1 uint64 TotVarh_SF varh = Reactive energy injected L1/L1注入无功电能
TotVarhAbsL1 uint64 TotVarh_SF varh = Reactive energy absorbed L1/L1吸收无功电能
WL2 int16 W_SF W = AC power L2/L2交流功率
VAL2 int16 VA_SF VA = Apparent power L2/L2视在功率
VarL2 int16 Var_SF var = Reactive power L2/L2无功功率
PFL2 uint16 PF_SF - = Power factor L2/L2功率因数
AL2 int16 A_SF A = Current L2/L2电流
VL2L3 int16 V_SF V = Voltage L2-L3/L2-L3电压
VL2 int16 V_SF V = Voltage L2/L2电压
TotWhInjL2 uint64 TotWh_SF Wh = Energy injected L2/L2注入电能
TotWhAbsL2 uint64 TotWh_SF Wh = Energy absorbed L2/L2吸收电能
TotVarhInjL2 uint64 TotVarh_SF varh = Reactive energy injected L2/L2注入无功电能
TotVarhAbsL2 uint64 TotVarh_SF varh = Reactive energy absorbed L2/L2吸收无功电能
WL3 int16 W_SF W = AC power L3/L3交流功率
VAL3 int16 VA_SF VA = Apparent power L3/L3视在功率
VarL3 int16 Var_SF var = Reactive power L3/L3无功功率
PFL3 uint16 PF_SF - = Power factor L3/L3功率因数
AL3 int16 A_SF A = Current L3/L3电流
VL3L1 int16 V_SF V = Voltage L3-L1/L3-L1电压
VL3 int16 V_SF V = Voltage L3/L3电压
TotWhInjL3 uint64 TotWh_SF Wh = Energy injected L3/L3注入电能
TotWhAbsL3 uint64 TotWh_SF Wh = Energy absorbed L3/L3吸收电能
TotVarhInjL3 uint64 TotVarh_SF varh = Reactive energy injected L3/L3注入无功电能
TotVarhAbsL3 uint64 TotVarh_SF varh = Reactive energy absorbed L3/L3吸收无功电能
ThrotPct uint16 - % = Throttling/限功率百分比
ThrotSrc bitfield32 = Throttling sources/限功率来源
A_SF sunssf
V_SF sunssf
Hz_SF sunssf
W_SF sunssf
PF_SF sunssf
VA_SF sunssf
Var_SF sunssf
TotWh_SF sunssf
TotVarh_SF sunssf
Tmp_SF sunssf
MnAlrmInfo string:32 = Manufacturer alarm/厂商报警信息`,
  },
  {
    ids: [713],
    kind: 'battery',
    label: 'Storage capacity/储能容量',
    points: `
WHRtg uint16 WH_SF Wh = Energy rating/额定电能
WHAvail uint16 WH_SF Wh = Energy available/可用电能
SoC uint16 Pct_SF % = State of charge/荷电状态
SoH uint16 Pct_SF % = State of health/健康状态
Sta enum16 = Storage status/储能状态; 1 OK/正常, 2 Warning/警告, 3 Error/错误
WH_SF sunssf
Pct_SF sunssf`,
  },
  {
    ids: [714],
    kind: 'inverter',
    label: 'DC measurement/直流测量',
    points: `
PrtAlrms bitfield32 = Ports with alarms/报警端口
NPrt count
DCA int16 DCA_SF A = DC current/直流电流
DCW int16 DCW_SF W = DC power/直流功率
DCWhInj uint64 DCWH_SF Wh = DC energy injected/直流注入电能
DCWhAbs uint64 DCWH_SF Wh = DC energy absorbed/直流吸收电能
DCA_SF sunssf
DCV_SF sunssf
DCW_SF sunssf
DCWH_SF sunssf
Tmp_SF sunssf`,
    groups: [
      {
        label: 'Port/端口',
        points: `
PrtTyp enum16 = Type/类型; 1 Photovoltaic/光伏, 2 Storage/储能, 3 Electric vehicle/电动汽车, 4 Injecting/注入, 5 Absorbing/吸收, 6 Bidirectional/双向, 7 DC to DC/直流变换
ID uint16
IDStr string:8
DCA int16 DCA_SF A = DC current/直流电流
DCV uint16 DCV_SF V = DC voltage/直流电压
DCW int16 DCW_SF W = DC power/直流功率
DCWhInj uint64 DCWH_SF Wh = DC energy injected/直流注入电能
DCWhAbs uint64 DCWH_SF Wh = DC energy absorbed/直流吸收电能
Tmp int16 Tmp_SF °C = Temperature/温度
DCSta enum16 = State/状态; 1 Off/关闭, 2 On/开启, 3 Warning/警告, 4 Error/错误
DCAlrm bitfield32 = Alarm flags/报警标志`,
      },
    ],
  },
  {
    ids: [201, 202, 203, 204],
    floatIds: [211, 212, 213, 214],
    kind: 'meter',
    label: 'Meter/电表',
    points: `
A! int16 A_SF A = AC current/交流电流
AphA int16 A_SF A = Current phase A/A相电流
AphB int16 A_SF A = Current phase B/B相电流
AphC int16 A_SF A = Current phase C/C相电流
A_SF! sunssf
PhV int16 V_SF V = Phase voltage/相电压
PhVphA int16 V_SF V = Voltage phase A/A相电压
PhVphB int16 V_SF V = Voltage phase B/B相电压
PhVphC int16 V_SF V = Voltage phase C/C相电压
PPV int16 V_SF V = Line voltage/线电压
PPVphAB int16 V_SF V = Voltage A-B/AB线电压
PPVphBC int16 V_SF V = Voltage B-C/BC线电压
PPVphCA int16 V_SF V = Voltage C-A/CA线电压
V_SF! sunssf
Hz! int16 Hz_SF Hz = Frequency/频率
Hz_SF sunssf
W! int16 W_SF W = AC power/交流功率
WphA int16 W_SF W = AC power phase A/A相交流功率
WphB int16 W_SF W = AC power phase B/B相交流功率
WphC int16 W_SF W = AC power phase C/C相交流功率
W_SF! sunssf
VA int16 VA_SF VA = Apparent power/视在功率
VAphA int16 VA_SF VA = Apparent power phase A/A相视在功率
VAphB int16 VA_SF VA = Apparent power phase B/B相视在功率
VAphC int16 VA_SF VA = Apparent power phase C/C相视在功率
VA_SF sunssf
VAR int16 VAR_SF var = Reactive power/无功功率
VARphA int16 VAR_SF var = Reactive power phase A/A相无功功率
VARphB int16 VAR_SF var = Reactive power phase B/B相无功功率
VARphC int16 VAR_SF var = Reactive power phase C/C相无功功率
VAR_SF sunssf
PF int16 PF_SF % = Power factor/功率因数
PFphA int16 PF_SF % = Power factor phase A/A相功率因数
PFphB int16 PF_SF % = Power factor phase B/B相功率因数
PFphC int16 PF_SF % = Power factor phase C/C相功率因数
PF_SF sunssf
TotWhExp! acc32 TotWh_SF Wh = Energy exported/输出电能
TotWhExpphA acc32 TotWh_SF Wh = Energy exported phase A/A相输出电能
TotWhExpphB acc32 TotWh_SF Wh = Energy exported phase B/B相输出电能
TotWhExpphC acc32 TotWh_SF Wh = Energy exported phase C/C相输出电能
TotWhImp! acc32 TotWh_SF Wh = Energy imported/输入电能
TotWhImpphA acc32 TotWh_SF Wh = Energy imported phase A/A相输入电能
TotWhImpphB acc32 TotWh_SF Wh = Energy imported phase B/B相输入电能
TotWhImpphC acc32 TotWh_SF Wh = Energy imported phase C/C相输入电能
TotWh_SF! sunssf
TotVAhExp acc32 TotVAh_SF VAh = Apparent energy exported/输出视在电能
TotVAhExpphA acc32 TotVAh_SF VAh = Apparent energy exported phase A/A相输出视在电能
TotVAhExpphB acc32 TotVAh_SF VAh = Apparent energy exported phase B/B相输出视在电能
TotVAhExpphC acc32 TotVAh_SF VAh = Apparent energy exported phase C/C相输出视在电能
TotVAhImp acc32 TotVAh_SF VAh = Apparent energy imported/输入视在电能
TotVAhImpphA acc32 TotVAh_SF VAh = Apparent energy imported phase A/A相输入视在电能
TotVAhImpphB acc32 TotVAh_SF VAh = Apparent energy imported phase B/B相输入视在电能
TotVAhImpphC acc32 TotVAh_SF VAh = Apparent energy imported phase C/C相输入视在电能
TotVAh_SF sunssf
TotVArhImpQ1 acc32 TotVArh_SF varh = Reactive energy imported Q1/第一象限无功电能
TotVArhImpQ1phA acc32 TotVArh_SF varh = Reactive energy imported Q1 phase A/A相第一象限无功电能
TotVArhImpQ1phB acc32 TotVArh_SF varh = Reactive energy imported Q1 phase B/B相第一象限无功电能
TotVArhImpQ1phC acc32 TotVArh_SF varh = Reactive energy imported Q1 phase C/C相第一象限无功电能
TotVArhImpQ2 acc32 TotVArh_SF varh = Reactive energy imported Q2/第二象限无功电能
TotVArhImpQ2phA acc32 TotVArh_SF varh = Reactive energy imported Q2 phase A/A相第二象限无功电能
TotVArhImpQ2phB acc32 TotVArh_SF varh = Reactive energy imported Q2 phase B/B相第二象限无功电能
TotVArhImpQ2phC acc32 TotVArh_SF varh = Reactive energy imported Q2 phase C/C相第二象限无功电能
TotVArhExpQ3 acc32 TotVArh_SF varh = Reactive energy exported Q3/第三象限无功电能
TotVArhExpQ3phA acc32 TotVArh_SF varh = Reactive energy exported Q3 phase A/A相第三象限无功电能
TotVArhExpQ3phB acc32 TotVArh_SF varh = Reactive energy exported Q3 phase B/B相第三象限无功电能
TotVArhExpQ3phC acc32 TotVArh_SF varh = Reactive energy exported Q3 phase C/C相第三象限无功电能
TotVArhExpQ4 acc32 TotVArh_SF varh = Reactive energy exported Q4/第四象限无功电能
TotVArhExpQ4phA acc32 TotVArh_SF varh = Reactive energy exported Q4 phase A/A相第四象限无功电能
TotVArhExpQ4phB acc32 TotVArh_SF varh = Reactive energy exported Q4 phase B/B相第四象限无功电能
TotVArhExpQ4phC acc32 TotVArh_SF varh = Reactive energy exported Q4 phase C/C相第四象限无功电能
TotVArh_SF sunssf
Evt! bitfield32 = Event flags/事件标志`,
  },
]
