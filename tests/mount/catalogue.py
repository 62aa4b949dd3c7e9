"""Orders for a model, made from its model file alone: with the fewest files it needs, and with every
field that its rules allow. A field's value is the simplest one that its schema allows."""
import copy

SUFFIX = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp", "video/mp4": ".mp4",
          "video/quicktime": ".mov", "video/x-matroska": ".mkv", "video/webm": ".webm",
          "audio/mpeg": ".mp3", "audio/mp3": ".mp3", "audio/wav": ".wav", "audio/x-wav": ".wav"}
PREFERRED = ["image/png", "image/jpeg", "video/mp4", "audio/mpeg", "audio/wav"]
LINK = "https://example.com/media/"
RESULT = "../../hailuo/02-text-to-video-pro/out/few.mp4"  # stands for the task that made it
MISSING = object()


def is_media(field):
    return "x-kinofs-file" in field


def suffix_of(field):
    types = field["x-kinofs-file"]["types"]
    best = next((kind for kind in PREFERRED if kind in types), types[0])
    return SUFFIX[best]


def get(value, address):
    for part in address.split("/"):
        if isinstance(value, list):
            value = value[int(part)] if part.isdigit() and int(part) < len(value) else MISSING
        elif isinstance(value, dict):
            value = value.get(part, MISSING)
        else:
            return MISSING
        if value is MISSING:
            return MISSING
    return value


def put(value, address, new):
    *above, last = address.split("/")
    for part in above:
        value = value.setdefault(part, {})
    value[last] = new


def drop(value, address):
    *above, last = address.split("/")
    for part in above:
        value = value.get(part, {})
    value.pop(last, None)


def field_at(model, address):
    field = model
    for part in address.split("/"):
        field = field["items"] if field.get("type") == "array" else field["properties"][part]
    return field


def plain(field, name):
    """A value that the schema allows."""
    for key in ("const", "default"):
        if key in field and field[key] != []:
            return copy.deepcopy(field[key])
    if "enum" in field:
        return field["enum"][0]
    if "examples" in field:
        return field["examples"][0]
    kind = field["type"]
    if kind == "boolean":
        return True
    if kind in ("integer", "number"):
        low = field.get("minimum", min(1, field.get("maximum", 1)))
        step = field.get("multipleOf")
        return -(-low // step) * step if step and low % step else low
    if kind == "string":
        if field.get("x-kinofs-job"):
            return RESULT
        if is_media(field):
            return LINK + name.replace("/", "-") + suffix_of(field)
        if field.get("format") == "uri":
            return LINK + name + ".bin"
        return ("words of " + name).ljust(field.get("minLength", 1), ".")[:field.get("maxLength", 99)]
    if kind == "array":
        count = max(1, field.get("minItems", 1))
        item = dict(field["items"], **({"x-kinofs-file": field["x-kinofs-file"]} if is_media(field) else {}))
        return [plain(item, "%s-%d" % (name, i)) for i in range(count)]
    return {key: plain(inner, key) for key, inner in field["properties"].items()
            if key in field.get("required", ())}


# ------------------------------------------------------------------ rules

def effective(model, spec):
    whole = copy.deepcopy(spec)

    def fill(fields, value):
        for name, field in fields.get("properties", {}).items():
            fallback = field.get("default", field.get("const", MISSING))
            if name not in value and fallback is not MISSING:
                value[name] = copy.deepcopy(fallback)
            elif name in value and field["type"] == "object":
                fill(field, value[name])
    fill(model, whole)
    return whole


def number(value):
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def holds(model, when, spec, whole):
    def wanted(address, want):
        value, given = get(whole, address), get(spec, address) is not MISSING
        if isinstance(want, bool) and field_at(model, address)["type"] != "boolean":
            return given == want
        if isinstance(want, list):
            return value in want
        if isinstance(want, dict):
            count = len(value) if isinstance(value, list) else None
            tests = [("given", lambda n: given == n),
                     ("minimum", lambda n: number(value) is not None and number(value) >= n),
                     ("maximum", lambda n: number(value) is not None and number(value) <= n),
                     ("minItems", lambda n: count is not None and count >= n),
                     ("maxItems", lambda n: count is not None and count <= n)]
            return all(test(want[key]) for key, test in tests if key in want)
        return value is not MISSING and type(value) is type(want) and value == want
    return all(wanted(address, want) for address, want in when.items())


def total(model, addresses, spec):
    counted = 0
    for address in addresses:
        value = get(spec, address)
        if isinstance(value, list):
            counted += len(value)
        elif value is not MISSING:
            counted += 1 if is_media(field_at(model, address)) else number(value) or 0
    return counted


def broken(model, spec):
    """The rules that a spec breaks."""
    whole = effective(model, spec)
    return [rule for rule in model.get("x-kinofs-rules", ())
            if holds(model, rule.get("refuse", {}), spec, whole) and
            ("sum" not in rule or total(model, rule["sum"]["of"], spec) > rule["sum"]["over"])]


def mend(model, spec, keep=()):
    """A spec of the least change that breaks no rule: what must be given is, what must not is not."""
    for _ in range(40):
        rules = broken(model, spec)
        if not rules:
            return spec
        addresses = dict(rules[0].get("refuse", {}))
        addresses.update((address, True) for address in rules[0].get("sum", {}).get("of", ())
                         if get(spec, address) is not MISSING)
        for address, want in addresses.items():
            field = field_at(model, address)
            is_flag = field["type"] == "boolean"
            absent = want is False and not is_flag or want == {"given": False}
            if absent:
                put(spec, address, plain(field, address))
            elif address not in keep and get(spec, address) is not MISSING:
                drop(spec, address)
            elif "enum" in field and not isinstance(want, dict):
                put(spec, address, [value for value in field["enum"]
                                    if value not in (want if isinstance(want, list) else [want])][0])
            elif is_flag:
                put(spec, address, not want)
            else:
                continue
            if rules[0] not in broken(model, spec):
                break
    raise AssertionError("%s: no spec breaks no rule: %s" % (model["$id"], spec))


# ------------------------------------------------------------------ orders

def required(fields, above=""):
    """Addresses of what must be given and has no default, objects by their members."""
    for name in fields.get("required", ()):
        field = fields["properties"][name]
        if field["type"] == "object":
            yield from required(field, above + name + "/")
        elif "default" not in field and "const" not in field:
            yield above + name


def slots(model):
    """Each address that files beside a spec fill: their marks."""
    found = {}

    def look(fields, above):
        for name, field in fields.get("properties", {}).items():
            marks = field.get("x-kinofs-file", {}).get("marks")
            if marks:
                found[above + name] = marks
            if field["type"] == "object":
                look(field, above + name + "/")
    look(model, "")
    return found


def full(model):
    spec = {}

    def fill(fields, above):
        for name, field in fields["properties"].items():
            if field["type"] == "object":
                fill(field, above + name + "/")
            else:
                put(spec, above + name, plain(field, name))
    fill(model, "")
    prompt = model.get("x-kinofs-prompt")
    if prompt:  # another order than that of the fewest files
        most = field_at(model, prompt).get("maxLength", 1000)
        put(spec, prompt, ("in full, " + get(spec, prompt))[:most])
    return mend(model, spec, set(required(model)))


def fewest(model, stem):
    """({file name: kind or text}, the spec that they stand for)."""
    prompt, places = model.get("x-kinofs-prompt"), slots(model)
    spec = {address: plain(field_at(model, address), address) for address in required(model)}
    nested = {}
    for address, value in spec.items():
        put(nested, address, value)
    if prompt:
        put(nested, prompt, plain(field_at(model, prompt), stem))  # unlike full()'s: copies are held
    mend(model, nested, set(required(model)) | {prompt})
    files, rest = {}, copy.deepcopy(nested)
    if prompt:
        files[stem + ".txt"] = get(nested, prompt)
        drop(rest, prompt)
    for address, marks in places.items():
        value = get(nested, address)
        if value is MISSING:
            continue
        field = field_at(model, address)
        count = len(value) if isinstance(value, list) else 1
        for i in range(count):
            mark = marks[i] if len(marks) > 1 else marks[0]
            nth = "" if i == 0 or len(marks) > 1 else ("%d" if mark else ".%d") % (i + 1)
            files[stem + ("." + mark if mark else "") + nth + suffix_of(field)] = None
        drop(rest, address)
    return files, {key: value for key, value in rest.items() if value != {}}


def violate(model, rule):
    """A spec that breaks this rule, and perhaps others."""
    spec = full(model)
    for address, want in rule.get("refuse", {}).items():
        field = field_at(model, address)
        if want is False and field["type"] != "boolean" or want == {"given": False}:
            drop(spec, address)
        elif want is True and field["type"] != "boolean" or want == {"given": True}:
            put(spec, address, plain(field, address))
        elif isinstance(want, dict):
            if "minItems" in want:
                item = plain(field, address)[0]
                put(spec, address, [item] * want["minItems"])
            elif "maxItems" in want:
                put(spec, address, plain(field, address)[:want["maxItems"]])
            else:
                value = want.get("minimum", want.get("maximum"))
                values = [entry for entry in field.get("enum", ()) if
                          want.get("minimum", float("-inf")) <= float(entry) <= want.get("maximum", float("inf"))]
                put(spec, address, values[0] if values else value)
        else:
            put(spec, address, want[0] if isinstance(want, list) else want)
    if "sum" in rule:
        for address in rule["sum"]["of"]:
            field = field_at(model, address)
            value = plain(field, address)
            if isinstance(value, list):
                value = [value[0]] * int(rule["sum"]["over"] + 1)
            elif not is_media(field) and field["type"] != "string":
                value = field.get("maximum", rule["sum"]["over"] + 1)
            put(spec, address, value)
    return spec
