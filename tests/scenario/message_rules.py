# SPDX-License-Identifier: Apache-2.0
"""What every message that leaves has to look like, field by field."""

import decimal
import re

TIME = re.compile(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z')
RUN = re.compile(r'\d{8}T\d{6}Z-[a-z0-9-]{1,32}')
ID = re.compile(r'[a-z0-9-]{1,32}')
ADDRESS = re.compile(r'([0-9A-F]{2}:){5}[0-9A-F]{2}', re.I)

PHASES = 'idle calibrating warmup running walking paused ended'.split()
LINKS = 'absent seen connecting streaming stale backoff'.split()
REASONS = 'no-sensor stale not-calibrated not-running slipped hill settling low-quality'.split()
EVENTS = ('run-started run-finished joined lost sensor-swapped calibrated adapter-lost adapter-reset '
          'spool-start spool-end clock-step flood config-reloaded erased').split()

# Live metrics and their decimals.
METRICS = {
    'heart_rate_bpm': 1, 'heart_zone': 0, 'rmssd_ms': 1, 'dfa_alpha1': 3, 'respiration_per_min': 1,
    'speed_m_s': 3, 'pace_s_per_km': 1, 'cadence_spm': 1, 'step_length_m': 3, 'power_w': 1,
    'incline_pct': 1, 'ground_contact_ms': 1, 'flight_ms': 1, 'duty_factor': 3,
    'vertical_oscillation_mm': 1, 'vertical_ratio_pct': 1, 'balance_left_pct': 1,
    'peak_force_bw': 3, 'impact_g': 3, 'leg_stiffness_kn_m': 1, 'trunk_lean_deg': 1,
    'lateral_lean_deg': 1, 'pelvic_tilt_deg': 1, 'pelvic_drop_deg': 1, 'pelvic_roll_deg': 1,
    'pelvic_rotation_deg': 1, 'lumbar_flexion_deg': 1, 'head_pitch_deg': 1,
    'shoulder_rounding_deg': 1, 'sway_ratio': 3, 'form_drift': 1, 'trimp': 1,
    'mechanical_load': 1, 'decoupling_pct': 1}

# code: severity, unit, evidence
WARNINGS = {
    'red-flag': ('critical', None, 'convention'), 'pain-stop': ('critical', 'score', 'convention'),
    'distance-spike': ('act', 'm', 'moderate'), 'trunk-lean-drift': ('watch', 'deg', 'weak'),
    'lumbar-rounding': ('watch', 'deg', 'weak'), 'lumbar-arching': ('watch', 'deg', 'weak'),
    'pelvic-drop': ('watch', 'deg', 'weak'), 'trunk-lean': ('info', 'deg', 'weak'),
    'trunk-lean-back': ('info', 'deg', 'convention'), 'side-lean': ('info', 'deg', 'convention'),
    'head-down': ('info', 'deg', 'convention'), 'shoulder-rounding': ('info', 'deg', 'convention'),
    'cadence-drop': ('watch', 'spm', 'weak'), 'impact-rise': ('watch', 'g', 'weak'),
    'sway-rise': ('watch', 'ratio', 'weak'), 'form-fading': ('act', 'count', 'weak'),
    'heart-rate-cap': ('watch', 'bpm', 'convention'), 'heart-drift': ('info', '%', 'convention'),
    'effort-high': ('info', 'ratio', 'weak'), 'sensor-problem': ('info', None, None)}

# end of the topic: QoS, retained
TOPICS = {'event': (1, False), 'state': (1, True), 'live': (0, False), 'ha': (0, False),
          'warning': (1, False), 'warnings': (1, True), 'lap': (1, False), 'summary': (1, True),
          'board': (0, False)}
TOPIC = re.compile(r'plumbline/(?:athlete/[a-z0-9-]+/(?:state|live|ha|warnings?|lap|summary)'
                   r'|sensor/[a-z0-9-]+/state|squad/board|gateway/[a-z0-9-]+/event)')

STAMP = {'v', 'time', 'seq', 'gateway', 'clock'}
LOAD_STATES = 'unknown reference small moderate large'.split()


class Broken(Exception):
    """A message that is not as it should be."""


def need(good, *text):
    if not good:
        raise Broken(' '.join(map(str, text)))


def number(value, decimals, low=None, high=None):
    need(type(value) in (int, decimal.Decimal), value, 'is no number')
    if type(value) is decimal.Decimal:
        need(-value.as_tuple().exponent <= decimals, value, 'has more than', decimals, 'decimals')
    need(low is None or value >= low, value, 'is below', low)
    need(high is None or value <= high, value, 'is above', high)


def text(value, pattern=None, most=None):
    need(isinstance(value, str) and value, value, 'is no text')
    need(pattern is None or pattern.fullmatch(value), value, 'looks wrong')
    need(most is None or len(value.encode()) <= most, 'too long:', value)


def keys(value, required, optional=()):
    need(isinstance(value, dict), value, 'is no object')
    missing = set(required) - set(value)
    unknown = set(value) - set(required) - set(optional)
    need(not missing, 'missing:', missing)
    need(not unknown, 'unknown:', unknown)


def stamp(payload):
    need(payload['v'] == 1 and type(payload['v']) is int, 'v is', payload['v'])
    text(payload['time'], TIME)
    number(payload['seq'], 0, 1)
    text(payload['gateway'], ID)
    need(payload['clock'] in ('synced', 'unsynced'), 'clock', payload['clock'])


def codes(value):
    need(isinstance(value, list) and len(set(value)) == len(value), value)
    need(set(value) <= set(WARNINGS), value)


def live(payload):
    in_run = {'run', 'elapsed_s', 'moving_s', 'distance_m', 'steps'}
    keys(payload, STAMP | {'athlete', 'phase', 'confidence', 'missing', 'warnings'},
         in_run | set(METRICS) | {'rr_ms'})
    need(not in_run & set(payload) or in_run <= set(payload), 'half in a run')
    need(payload['phase'] in PHASES, payload['phase'])
    if 'run' in payload:
        text(payload['run'], RUN)
        for key in ('elapsed_s', 'moving_s', 'steps'):
            number(payload[key], 0, 0)
        number(payload['distance_m'], 1, 0)
        need(payload['moving_s'] <= payload['elapsed_s'] + 1, 'moving longer than the run')
    for metric in set(METRICS) & set(payload):
        number(payload[metric], METRICS[metric])
    if 'rr_ms' in payload:
        need(payload['rr_ms'], 'empty rr_ms')
        for interval in payload['rr_ms']:
            number(interval, 3, 1)
    for metric, value in payload['confidence'].items():
        need(metric in payload and metric in METRICS, metric, 'has a confidence only')
        number(value, 3)
        need(0 < value < 1, 'confidence', value)
    for metric, reason in payload['missing'].items():
        need(metric in METRICS and metric not in payload, metric, 'is there and missing')
        need(reason in REASONS, reason)
    for metric in ('heart_rate_bpm', 'speed_m_s'):
        need(metric in payload or metric in payload['missing'], metric, 'is neither')
    codes(payload['warnings'])


def warning(payload):
    keys(payload, STAMP | {'athlete', 'run', 'id', 'code', 'state', 'severity', 'title', 'advice',
                           'since', 'evidence', 'confidence', 'inputs'},
         {'value', 'unit', 'baseline', 'limit', 'z'})
    text(payload['run'], RUN)
    need(payload['id'].startswith(payload['run'] + '-'), payload['id'])
    need(payload['state'] in ('raised', 'cleared', 'suppressed', 'acknowledged'), payload['state'])
    severity, unit, evidence = WARNINGS[payload['code']]
    need(payload['severity'] == severity, payload['severity'])
    need(payload.get('unit') == unit, payload.get('unit'))
    need(evidence in (None, payload['evidence']), payload['evidence'])
    text(payload['title'], None, 60)
    text(payload['advice'], None, 255)
    text(payload['since'], TIME)
    need(payload['since'] <= payload['time'], 'since', payload['since'])
    number(payload['confidence'], 3, 0, 1)
    for key in ('value', 'baseline', 'limit'):
        if key in payload:
            number(payload[key], 1)
    need(isinstance(payload['inputs'], list) and payload['inputs'], 'no inputs')


def warnings(payload):
    keys(payload, STAMP | {'active'})
    codes(payload['active'])


LAP = {'number', 'start', 'elapsed_s', 'moving_s', 'distance_m'}


def lap_members(payload):
    number(payload['number'], 0, 1)
    text(payload['start'], TIME)
    number(payload['elapsed_s'], 0, 0)
    number(payload['moving_s'], 0, 0)
    number(payload['distance_m'], 1, 0)
    for metric in set(METRICS) & set(payload):
        number(payload[metric], METRICS[metric])


def lap(payload):
    keys(payload, STAMP | {'athlete', 'run'} | LAP, METRICS)
    text(payload['run'], RUN)
    lap_members(payload)


def spread(values, decimals):
    keys(values, {'mean', 'max', 'min'})
    for value in values.values():
        number(value, decimals)
    need(values['min'] <= values['mean'] <= values['max'], values)


def summary_lists(payload):
    for entry in payload['laps']:
        keys(entry, LAP, METRICS)
        lap_members(entry)
    for entry in payload['warnings']:
        keys(entry, {'code', 'count', 'first_s', 'seconds'})
        need(entry['code'] in WARNINGS, entry)
        number(entry['count'], 0, 1)
        number(entry['first_s'], 0, 0, payload['elapsed_s'])
        number(entry['seconds'], 0, 0, payload['elapsed_s'])
    for name, share in payload['coverage'].items():
        need(name in METRICS or ID.fullmatch(name), name)
        number(share, 1, 0, 100)
    need(len(payload['advice']) <= 3, 'too much advice')
    for entry in payload['advice']:
        keys(entry, {'text', 'evidence'})


def summary(payload):
    loads = {'trimp': 1, 'trimp_edwards': 1, 'trimp_lucia': 1, 'hr_tss': 1, 'decoupling_pct': 1,
             'efficiency_m_per_beat': 3, 'heart_rate_recovery_bpm': 1}
    metrics = set(METRICS) - {'heart_zone', 'pace_s_per_km', 'trimp', 'mechanical_load',
                              'decoupling_pct'}
    keys(payload, STAMP | {'run', 'athlete', 'start', 'end', 'elapsed_s', 'moving_s', 'distance_m',
                           'steps', 'load', 'laps', 'warnings', 'coverage', 'title', 'text',
                           'markdown', 'advice'},
         metrics | set(loads) | {'zones_s', 'form', 'fatigue_onset_s', 'shoe', 'files',
                                 'mechanical_load'})
    text(payload['run'], RUN)
    text(payload['start'], TIME)
    text(payload['end'], TIME)
    for key in ('elapsed_s', 'moving_s', 'steps'):
        number(payload[key], 0, 0)
    number(payload['distance_m'], 1, 0)
    for metric in metrics & set(payload):
        spread(payload[metric], METRICS[metric])
    for key in set(loads) & set(payload):
        number(payload[key], loads[key])
    if 'zones_s' in payload:
        need(len(payload['zones_s']) == 6, payload['zones_s'])
        for seconds in payload['zones_s']:
            number(seconds, 0, 0)
    keys(payload['load'], {'spike_state'}, {'longest_30d_m', 'next_run_limit_m'})
    need(payload['load']['spike_state'] in LOAD_STATES, payload['load'])
    text(payload['title'], None, 60)
    text(payload['text'], re.compile('[^\n]*'), 255)
    text(payload['markdown'], None, 4096)
    summary_lists(payload)


def sensor_state(payload):
    keys(payload, STAMP | {'link'},
         {'athlete', 'battery_pct', 'rssi_dbm', 'rate_hz', 'loss_pct', 'model', 'firmware'})
    need(payload['link'] in LINKS, payload['link'])
    if 'battery_pct' in payload:
        number(payload['battery_pct'], 0, 0, 100)
    for key in ('rate_hz', 'loss_pct'):
        if key in payload:
            number(payload[key], 1, 0)


def athlete_state(payload):
    keys(payload, STAMP | {'phase', 'since', 'sensors'}, {'run'})
    need(payload['phase'] in PHASES, payload['phase'])
    text(payload['since'], TIME)
    need(isinstance(payload['sensors'], list), payload['sensors'])
    if 'run' in payload:
        text(payload['run'], RUN)


def event(payload):
    keys(payload, STAMP | {'code'}, {'athlete', 'run', 'sensor', 'text'})
    need(payload['code'] in EVENTS, payload['code'])


def board(payload):
    keys(payload, STAMP | {'rows'})
    attention = [row['attention'] for row in payload['rows']]
    need(attention == sorted(attention, reverse=True), 'order of', attention)
    for row in payload['rows']:
        keys(row, {'athlete', 'phase', 'warnings', 'attention', 'age_s'},
             {'heart_rate_bpm', 'heart_zone', 'speed_m_s', 'distance_m'})
        codes(row['warnings'])
        number(row['attention'], 0, 0)
        number(row['age_s'], 0, 0)


RULES = {'live': live, 'ha': live, 'warning': warning, 'warnings': warnings, 'lap': lap,
         'summary': summary, 'event': event, 'board': board}


def check(message):
    keys(message, {'topic', 'payload', 'qos', 'retain'})
    topic, payload = message['topic'], message['payload']
    need(TOPIC.fullmatch(topic), 'topic', topic)
    end = topic.rsplit('/', 1)[1]
    need((message['qos'], message['retain']) == TOPICS[end], topic, 'is sent as', message['qos'],
         message['retain'])
    stamp(payload)
    if end == 'state':
        (sensor_state if '/sensor/' in topic else athlete_state)(payload)
    else:
        RULES[end](payload)
    if topic.startswith('plumbline/athlete/') and 'athlete' in payload:
        need(topic.split('/')[2] == payload['athlete'], topic, 'of', payload['athlete'])


def check_all(messages, raw):
    """Every message, and what holds between them."""
    last = 0
    need(not ADDRESS.search(raw), 'an address leaves')
    for message in messages:
        try:
            check(message)
            need(message['payload']['seq'] > last, 'seq does not rise')
        except (Broken, KeyError, TypeError) as error:
            raise Broken('%r in %s' % (error, message)) from error
        last = message['payload']['seq']
