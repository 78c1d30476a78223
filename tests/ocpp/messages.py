"""One correct message for every action that stations send, with everything optional in it, as OCPP-J payloads."""

from __future__ import annotations

from typing import Any

from wattkeeper.charging.station import Version

TOKEN = "04A1B2C3D4E5F6"
AT = "2026-03-01T10:00:00.000Z"
LATER = "2026-03-01T10:15:00.000Z"

SAMPLES_16: list[dict[str, Any]] = [
    {"value": "1234.5", "unit": "kWh", "measurand": "Energy.Active.Import.Register", "context": "Sample.Clock"},
    {"value": "11040", "measurand": "Power.Active.Import", "unit": "W", "context": "Sample.Clock"},
    {"value": "16.01", "measurand": "Current.Import", "phase": "L1", "unit": "A", "location": "Outlet"},
    {"value": "230.4", "measurand": "Voltage", "phase": "L1-N", "unit": "V", "format": "Raw"},
    {"value": "56", "measurand": "SoC", "unit": "Percent", "location": "EV"},
    {"value": "31", "measurand": "Temperature", "unit": "Celsius", "location": "Body"},
    {"value": "50.01", "measurand": "Frequency"},
]

V16: dict[str, dict[str, Any]] = {
    "Authorize": {"idTag": TOKEN},
    "BootNotification": {
        "chargePointVendor": "Volta",
        "chargePointModel": "Pillar 22",
        "chargePointSerialNumber": "VP-0001",
        "chargeBoxSerialNumber": "VB-0001",
        "firmwareVersion": "1.2.3",
        "iccid": "89490200001000000000",
        "imsi": "262010000000000",
        "meterType": "EM 3000",
        "meterSerialNumber": "M-77",
    },
    "DataTransfer": {"vendorId": "org.example", "messageId": "Greeting", "data": "anything"},
    "DiagnosticsStatusNotification": {"status": "Uploaded"},
    "FirmwareStatusNotification": {"status": "Installed"},
    "Heartbeat": {},
    "LogStatusNotification": {"status": "Uploading", "requestId": 4},
    "MeterValues": {
        "connectorId": 1,
        "transactionId": 4711,
        "meterValue": [{"timestamp": AT, "sampledValue": SAMPLES_16}],
    },
    "SecurityEventNotification": {"type": "TamperDetectionActivated", "timestamp": AT, "techInfo": "lid open"},
    "SignCertificate": {"csr": "-----BEGIN CERTIFICATE REQUEST-----"},
    "SignedFirmwareStatusNotification": {"status": "SignatureVerified", "requestId": 4},
    "StartTransaction": {
        "connectorId": 2,
        "idTag": TOKEN,
        "meterStart": 1000,
        "reservationId": 12,
        "timestamp": AT,
    },
    "StatusNotification": {
        "connectorId": 1,
        "errorCode": "HighTemperature",
        "info": "cooling down",
        "status": "SuspendedEVSE",
        "timestamp": AT,
        "vendorId": "org.example",
        "vendorErrorCode": "E42",
    },
    "StopTransaction": {
        "idTag": TOKEN,
        "meterStop": 9000,
        "timestamp": LATER,
        "transactionId": 4711,
        "reason": "EVDisconnected",
        "transactionData": [
            {"timestamp": AT, "sampledValue": [{"value": "1000", "context": "Transaction.Begin"}]},
            {"timestamp": LATER, "sampledValue": [{"value": "9000", "context": "Transaction.End"}]},
        ],
    },
}

SAMPLES_201: list[dict[str, Any]] = [
    {
        "value": 1234.5,
        "context": "Sample.Clock",
        "measurand": "Energy.Active.Import.Register",
        "unitOfMeasure": {"unit": "Wh", "multiplier": 3},
    },
    {"value": 11.04, "measurand": "Power.Active.Import", "unitOfMeasure": {"unit": "kW"}, "context": "Sample.Clock"},
    {"value": 16.01, "measurand": "Current.Import", "phase": "L1", "unitOfMeasure": {"unit": "A"}},
    {"value": 230.4, "measurand": "Voltage", "phase": "L1-N", "unitOfMeasure": {"unit": "V"}, "location": "Outlet"},
    {"value": 56, "measurand": "SoC", "unitOfMeasure": {"unit": "Percent"}, "location": "EV"},
    {"value": 50.01, "measurand": "Frequency"},
]
_TOKEN_201 = {
    "idToken": TOKEN,
    "type": "ISO14443",
    "additionalInfo": [{"additionalIdToken": "AA-BB-CC-DD-EE", "type": "printed"}],
}
_OCSP = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "a1" * 32,
    "issuerKeyHash": "b2" * 32,
    "serialNumber": "0c0ffee0c0ffee",
    "responderURL": "http://ocsp.example",
}
_COMPONENT = {"name": "Connector", "instance": "main", "evse": {"id": 2, "connectorId": 1}}
_VARIABLE = {"name": "AvailabilityState", "instance": "one"}
_SCHEDULE = {
    "id": 1,
    "startSchedule": AT,
    "duration": 3600,
    "chargingRateUnit": "A",
    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0, "numberPhases": 3}],
    "minChargingRate": 6.0,
    "salesTariff": {
        "id": 1,
        "salesTariffDescription": "night",
        "numEPriceLevels": 1,
        "salesTariffEntry": [
            {
                "relativeTimeInterval": {"start": 0, "duration": 60},
                "ePriceLevel": 1,
                "consumptionCost": [
                    {
                        "startValue": 1.0,
                        "cost": [{"costKind": "CarbonDioxideEmission", "amount": 5, "amountMultiplier": 0}],
                    }
                ],
            }
        ],
    },
}

V201: dict[str, dict[str, Any]] = {
    "Authorize": {"idToken": _TOKEN_201, "certificate": "PEM", "iso15118CertificateHashData": [_OCSP]},
    "BootNotification": {
        "chargingStation": {
            "serialNumber": "VP-0002",
            "model": "Pillar 50",
            "modem": {"iccid": "89490200001000000001", "imsi": "262010000000001"},
            "vendorName": "Volta",
            "firmwareVersion": "2.0.0",
        },
        "reason": "PowerUp",
    },
    "ClearedChargingLimit": {"chargingLimitSource": "EMS", "evseId": 1},
    "DataTransfer": {"messageId": "Greeting", "data": {"deep": [1, 2]}, "vendorId": "org.example"},
    "FirmwareStatusNotification": {"status": "Downloading", "requestId": 7},
    "Get15118EVCertificate": {
        "iso15118SchemaVersion": "urn:iso:15118:2:2013:MsgDef",
        "action": "Install",
        "exiRequest": "gJgB",
    },
    "GetCertificateStatus": {"ocspRequestData": _OCSP},
    "Heartbeat": {},
    "LogStatusNotification": {"status": "AcceptedCanceled", "requestId": 4},
    "MeterValues": {"evseId": 0, "meterValue": [{"timestamp": AT, "sampledValue": SAMPLES_201}]},
    "NotifyChargingLimit": {
        "chargingSchedule": [_SCHEDULE],
        "evseId": 1,
        "chargingLimit": {"chargingLimitSource": "SO", "isGridCritical": True},
    },
    "NotifyCustomerInformation": {
        "data": "card 04A1B2C3D4E5F6",
        "tbc": False,
        "seqNo": 0,
        "generatedAt": AT,
        "requestId": 3,
    },
    "NotifyDisplayMessages": {
        "messageInfo": [
            {
                "display": _COMPONENT,
                "id": 1,
                "priority": "InFront",
                "state": "Charging",
                "startDateTime": AT,
                "endDateTime": LATER,
                "transactionId": "tx-1",
                "message": {"format": "UTF8", "language": "en", "content": "Welcome"},
            }
        ],
        "requestId": 5,
        "tbc": False,
    },
    "NotifyEVChargingNeeds": {
        "maxScheduleTuples": 3,
        "chargingNeeds": {
            "acChargingParameters": {"energyAmount": 20000, "evMinCurrent": 6, "evMaxCurrent": 32, "evMaxVoltage": 400},
            "dcChargingParameters": {
                "evMaxCurrent": 200,
                "evMaxVoltage": 800,
                "energyAmount": 1,
                "evMaxPower": 2,
                "stateOfCharge": 50,
                "evEnergyCapacity": 3,
                "fullSoC": 100,
                "bulkSoC": 80,
            },
            "requestedEnergyTransfer": "AC_three_phase",
            "departureTime": LATER,
        },
        "evseId": 2,
    },
    "NotifyEVChargingSchedule": {"timeBase": AT, "chargingSchedule": _SCHEDULE, "evseId": 2},
    "NotifyEvent": {
        "generatedAt": AT,
        "tbc": False,
        "seqNo": 0,
        "eventData": [
            {
                "eventId": 1,
                "timestamp": AT,
                "trigger": "Delta",
                "cause": 1,
                "actualValue": "Occupied",
                "techCode": "T1",
                "techInfo": "contactor",
                "cleared": False,
                "transactionId": "tx-1",
                "component": _COMPONENT,
                "variableMonitoringId": 9,
                "eventNotificationType": "CustomMonitor",
                "variable": _VARIABLE,
            }
        ],
    },
    "NotifyMonitoringReport": {
        "monitor": [
            {
                "component": _COMPONENT,
                "variable": _VARIABLE,
                "variableMonitoring": [
                    {"id": 1, "transaction": False, "value": 80.0, "type": "UpperThreshold", "severity": 5}
                ],
            }
        ],
        "requestId": 6,
        "tbc": True,
        "seqNo": 0,
        "generatedAt": AT,
    },
    "NotifyReport": {
        "requestId": 1,
        "generatedAt": AT,
        "reportData": [
            {
                "component": {"name": "DisplayMessageCtrlr"},
                "variable": {"name": "Available"},
                "variableAttribute": [
                    {"type": "Actual", "value": "true", "mutability": "ReadOnly", "persistent": True, "constant": True}
                ],
                "variableCharacteristics": {
                    "unit": "none",
                    "dataType": "boolean",
                    "minLimit": 0.0,
                    "maxLimit": 1.0,
                    "valuesList": "true,false",
                    "supportsMonitoring": False,
                },
            }
        ],
        "tbc": False,
        "seqNo": 2,
    },
    "PublishFirmwareStatusNotification": {"status": "Published", "location": ["http://fw.example/1"], "requestId": 2},
    "ReportChargingProfiles": {
        "requestId": 8,
        "chargingLimitSource": "CSO",
        "chargingProfile": [
            {
                "id": 1,
                "stackLevel": 0,
                "chargingProfilePurpose": "TxProfile",
                "chargingProfileKind": "Absolute",
                "recurrencyKind": "Daily",
                "validFrom": AT,
                "validTo": LATER,
                "chargingSchedule": [_SCHEDULE],
                "transactionId": "tx-1",
            }
        ],
        "tbc": False,
        "evseId": 1,
    },
    "ReservationStatusUpdate": {"reservationId": 12, "reservationUpdateStatus": "Expired"},
    "SecurityEventNotification": {"type": "SettingSystemTime", "timestamp": AT, "techInfo": "ntp"},
    "SignCertificate": {"csr": "-----BEGIN CERTIFICATE REQUEST-----", "certificateType": "V2GCertificate"},
    "StatusNotification": {"timestamp": AT, "connectorStatus": "Occupied", "evseId": 2, "connectorId": 1},
    "TransactionEvent": {
        "eventType": "Started",
        "meterValue": [
            {
                "sampledValue": [
                    {
                        "value": 1000.0,
                        "context": "Transaction.Begin",
                        "signedMeterValue": {
                            "signedMeterData": "T0NNRg==",
                            "signingMethod": "ECDSA",
                            "encodingMethod": "OCMF",
                            "publicKey": "",
                        },
                    }
                ],
                "timestamp": AT,
            }
        ],
        "timestamp": AT,
        "triggerReason": "Authorized",
        "seqNo": 0,
        "offline": True,
        "numberOfPhasesUsed": 3,
        "cableMaxCurrent": 32,
        "reservationId": 12,
        "transactionInfo": {
            "transactionId": "tx-1",
            "chargingState": "EVConnected",
            "timeSpentCharging": 0,
            "stoppedReason": "Local",
            "remoteStartId": 99,
        },
        "evse": {"id": 2, "connectorId": 1},
        "idToken": _TOKEN_201,
    },
}

MESSAGES: dict[Version, dict[str, dict[str, Any]]] = {Version.V16: V16, Version.V201: V201}
CASES = [(version, action) for version, messages in MESSAGES.items() for action in messages]
IDS = [f"{version.value} {action}" for version, action in CASES]
