'use strict';
(() => {
  const D = JSON.parse(document.getElementById('data').textContent);
  const NS = 'http://www.w3.org/2000/svg';
  const $ = id => document.getElementById(id);
  document.documentElement.classList.add('scripted');

  // ---- small tools ----

  const make = (space, name, attributes, children) => {
    const node = space ? document.createElementNS(space, name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
      else node.setAttribute(key, value === true ? '' : value);
    }
    for (const child of [].concat(children === undefined ? [] : children)) {
      if (child !== null && child !== undefined) node.append(child);
    }
    return node;
  };
  const html = (name, attributes, children) => make(null, name, attributes, children);
  const svg = (name, attributes, children) => make(NS, name, attributes, children);
  const isNumber = value => typeof value === 'number' && Number.isFinite(value);
  const text = (value, decimals) => (isNumber(value) ? value.toFixed(decimals === undefined ? 4 : decimals) : '\u2013');
  const rate = value => (!isNumber(value) ? '\u2013' : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

  const csvField = value => {
    const field = value === null || value === undefined ? '' : String(value);
    return /[",\r\n]/.test(field) ? '"' + field.replace(/"/g, '""') + '"' : field;
  };
  const save = (name, type, content) => {
    const link = html('a', {download: name, href: URL.createObjectURL(new Blob([content], {type}))});
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  // Colours that people with any colour vision tell apart (Okabe and Ito); beyond seven, dashes, hatching and markers go on.
  const COLOURS = ['#0072B2', '#E69F00', '#009E73', '#D55E00', '#56B4E9', '#CC79A7', '#9A8F00'];
  const DASHES = [null, '6 3', '2 3', '8 3 2 3', '12 4'];
  const colour = i => COLOURS[i % COLOURS.length];
  const dash = i => DASHES[Math.floor(i / COLOURS.length) % DASHES.length];
  const marker = (i, x, y, size, attributes) => {
    const s = size || 4;
    const shapes = [
      () => svg('circle', {cx: x, cy: y, r: s}),
      () => svg('rect', {x: x - s, y: y - s, width: 2 * s, height: 2 * s}),
      () => svg('path', {d: `M${x} ${y - s * 1.3}L${x + s * 1.2} ${y + s}L${x - s * 1.2} ${y + s}Z`}),
      () => svg('path', {d: `M${x} ${y - s * 1.4}L${x + s * 1.4} ${y}L${x} ${y + s * 1.4}L${x - s * 1.4} ${y}Z`}),
      () => svg('path', {d: `M${x} ${y + s * 1.3}L${x + s * 1.2} ${y - s}L${x - s * 1.2} ${y - s}Z`}),
      () => svg('path', {d: `M${x - s} ${y - s}L${x + s} ${y + s}M${x - s} ${y + s}L${x + s} ${y - s}`, 'stroke-width': 2}),
    ];
    const node = shapes[i % shapes.length]();
    node.setAttribute('fill', colour(i));
    node.setAttribute('stroke', colour(i));
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    return node;
  };
  // Hatching by the round of colours, so that the eighth bar is not the first one again.
  const HATCHES = [null, 'M0 6L6 0', 'M0 0L6 6', 'M3 0V6', 'M0 3H6'];
  const hatchNumber = i => Math.floor(i / COLOURS.length) % HATCHES.length;
  const fillOf = (i, id) => (hatchNumber(i) === 0 ? colour(i) : `url(#${id}-${i})`);
  const hatchDefinitions = (n, id) => {
    const patterns = [];
    for (let i = COLOURS.length; i < n; ++i) {
      if (hatchNumber(i) === 0) continue;
      patterns.push(svg('pattern', {id: `${id}-${i}`, width: 6, height: 6, patternUnits: 'userSpaceOnUse'}, [
        svg('rect', {width: 6, height: 6, fill: colour(i)}),
        svg('path', {d: HATCHES[hatchNumber(i)], stroke: '#fff', 'stroke-width': 1.8, fill: 'none'}),
      ]));
    }
    return svg('defs', {}, patterns);
  };

  const niceTicks = (low, high, wanted) => {
    const span = high - low || 1;
    const step0 = Math.pow(10, Math.floor(Math.log10(span / wanted)));
    const step = [1, 2, 5, 10].map(k => k * step0).find(s => span / s <= wanted) || 10 * step0;
    const ticks = [];
    for (let t = Math.ceil(low / step - 1e-9) * step; t <= high + step * 1e-9; t += step) ticks.push(Number(t.toPrecision(12)));
    return ticks;
  };
  const logTicks = (low, high) => {
    const ticks = [];
    for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); ++e) {
      for (const k of [1, 2, 5]) {
        const t = k * Math.pow(10, e);
        if (t >= low * 0.999 && t <= high * 1.001) ticks.push(t);
      }
    }
    return ticks;
  };
  // As many decimals as the step between ticks needs.
  const tickText = ticks => {
    const step = ticks.length > 1 ? Math.abs(ticks[1] - ticks[0]) : Math.abs(ticks[0]) || 1;
    const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    return t => t.toFixed(Math.min(decimals, 6));
  };
  const label = (x, y, content, attributes) =>
    svg('text', Object.assign({x, y, fill: 'currentColor', 'font-size': 12, 'font-family': 'sans-serif'}, attributes || {}), content);
  const cut = (content, length) => (content.length <= length ? content : content.slice(0, length - 1) + '\u2026');

  const frame = (width, height, title) =>
    svg('svg', {xmlns: NS, viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': title}, svg('title', {}, title));
  const axisY = (root, box, scale, ticks, name, format) => {
    const shown = format || tickText(ticks);
    for (const t of ticks) {
      const y = scale(t);
      root.append(svg('line', {x1: box.left, x2: box.right, y1: y, y2: y, stroke: 'currentColor', 'stroke-opacity': 0.18}));
      root.append(label(box.left - 6, y + 4, shown(t), {'text-anchor': 'end'}));
    }
    const middle = (box.top + box.bottom) / 2;
    root.append(label(14, middle, name, {'text-anchor': 'middle', transform: `rotate(-90 14 ${middle})`}));
  };
  const axisX = (root, box, scale, ticks, name, format) => {
    root.append(svg('line', {x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom, stroke: 'currentColor'}));
    for (const t of ticks) {
      const x = scale(t);
      root.append(svg('line', {x1: x, x2: x, y1: box.bottom, y2: box.bottom + 4, stroke: 'currentColor'}));
      root.append(label(x, box.bottom + 17, format ? format(t) : String(t), {'text-anchor': 'middle'}));
    }
    root.append(label((box.left + box.right) / 2, box.bottom + 34, name, {'text-anchor': 'middle'}));
  };
  // Entries that wrap to the width; returns the height taken.
  const legend = (root, left, top, width, names, swatch) => {
    let x = left;
    let y = top;
    names.forEach((name, i) => {
      const shown = cut(name, 48);
      const size = 34 + shown.length * 6.8;
      if (x > left && x + size > left + width) {
        x = left;
        y += 18;
      }
      root.append(swatch(i, x, y));
      root.append(label(x + 26, y + 10, [shown, svg('title', {}, name)]));
      x += size;
    });
    return y + 18 - top;
  };
  const legendHeight = (width, names) => {
    let x = 0;
    let rows = 1;
    for (const name of names) {
      const size = 34 + cut(name, 48).length * 6.8;
      if (x > 0 && x + size > width) {
        x = 0;
        ++rows;
      }
      x += size;
    }
    return rows * 18;
  };
  const lineSwatch = index => (i, x, y) =>
    svg('g', {}, [svg('line', {x1: x, x2: x + 22, y1: y + 6, y2: y + 6, stroke: colour(index[i]), 'stroke-width': 2, 'stroke-dasharray': dash(index[i])}),
                  marker(index[i], x + 11, y + 6)]);

  // A figure with its controls; `draw` returns {svg, rows} or {say} where there is nothing to draw.
  const figures = [];
  const figure = (place, name, say, controls, draw) => {
    const host = $(place);
    if (!host) return;
    const plot = html('div', {class: 'plot'});
    let current = {rows: []};
    const saveSvg = () => {
      if (!current.svg) return;
      const copy = current.svg.cloneNode(true);
      copy.setAttribute('style', 'color:#111;background:#fff');
      save(name + '.svg', 'image/svg+xml', new XMLSerializer().serializeToString(copy));
    };
    const saveCsv = () => save(name + '.csv', 'text/csv', current.rows.map(row => row.map(csvField).join(',')).join('\n') + '\n');
    const buttons = [html('button', {type: 'button', class: 'save', onclick: saveSvg}, 'SVG'),
                     html('button', {type: 'button', class: 'save', onclick: saveCsv}, 'CSV')];
    host.append(html('figure', {id: 'figure-' + name}, [html('figcaption', {}, [html('span', {class: 'say'}, say), ...controls, ...buttons]), plot]));
    const refresh = () => {
      current = draw();
      plot.replaceChildren(current.svg || html('p', {class: 'none'}, current.say));
      for (const button of buttons) button.disabled = !current.svg;
      current.rows = current.rows || [];
    };
    figures.push(refresh);
    return refresh;
  };
  const select = (name, options, change) => {
    const control = html('select', {onchange: () => change(control.value)}, options.map(([value, shown]) => html('option', {value}, shown)));
    return {control, node: html('label', {}, [name, control])};
  };

  // ---- state ----

  const state = {table: 0, words: [], hidden: new Set(), tag: 0};
  const table = () => D.tables[state.table];
  const group = () => D.groups[table().group];
  const shownLines = () =>
    table().lines.map((line, i) => i).filter(i => state.words.every(word => table().lines[i].architecture.toLowerCase().includes(word)));
  const shownConditions = () => table().conditions.map((condition, i) => i).filter(i => !state.hidden.has(table().conditions[i]));
  const metricName = () => D.metricTitles[table().metric] || table().metric;
  const update = () => figures.forEach(refresh => refresh());

  // ---- the unified table ----

  const showTable = () => {
    document.querySelectorAll('.one-table').forEach((node, i) => node.classList.toggle('shown', i === state.table));
    document.querySelectorAll('.side-table').forEach(node => node.classList.toggle('shown', Number(node.dataset.table) === state.table));
    const node = document.querySelectorAll('.one-table')[state.table];
    if (!node) return;
    const lines = new Set(shownLines());
    node.querySelectorAll('tbody tr').forEach(row => {
      row.hidden = !lines.has(Number(row.dataset.line));
    });
    const hidden = new Set(table().conditions.filter(condition => state.hidden.has(condition)));
    node.querySelectorAll('[data-condition]').forEach(cell => {
      cell.hidden = hidden.has(cell.dataset.condition);
    });
    const count = $('shown-count');
    if (count) count.textContent = `${lines.size} of ${table().lines.length} architectures`;
  };
  const sortBy = (node, column) => {
    const heads = [...node.querySelectorAll('thead th')];
    const descending = heads[column].getAttribute('aria-sort') !== 'descending';
    const first = column === 0 ? heads[column].getAttribute('aria-sort') === 'ascending' : descending;
    heads.forEach((head, i) => {
      if (i === column) head.setAttribute('aria-sort', first ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    });
    const sign = first ? -1 : 1;
    const value = row => {
      const cell = row.children[column];
      if (column === 0) return cell.textContent;
      return cell.dataset.value === undefined || cell.dataset.value === '' ? null : Number(cell.dataset.value);
    };
    const body = node.querySelector('tbody');
    const rows = [...body.children].map(row => [value(row), row]);
    rows.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);  // without a value: last, whatever the direction
      return sign * (typeof a === 'string' ? a.localeCompare(b) : a - b);
    });
    body.append(...rows.map(([, row]) => row));
  };
  document.querySelectorAll('.one-table').forEach(node => {
    node.querySelectorAll('thead th').forEach((head, column) => {
      const button = html('button', {type: 'button', title: 'Sort', onclick: () => sortBy(node, column)}, [...head.childNodes]);
      head.replaceChildren(button);
    });
  });

  const fillConditions = () => {
    const host = $('condition-list');
    host.replaceChildren(...table().conditions.map(condition => {
      const box = html('input', {type: 'checkbox', checked: !state.hidden.has(condition), onchange: () => {
        if (box.checked) state.hidden.delete(condition);
        else state.hidden.add(condition);
        showTable();
        update();
      }});
      return html('label', {class: 'check'}, [box, condition]);
    }));
  };
  const setUpControls = () => {
    $('pick-table').addEventListener('change', event => {
      state.table = Number(event.target.value);
      state.tag = Math.min(state.tag, Math.max(0, group().tags.length - 1));
      fillConditions();
      showTable();
      fillTags();
      fillHeatChoices();
      fillFamilies();
      fillDifferences();
      update();
    });
    let waiting = 0;
    $('filter').addEventListener('input', event => {
      state.words = event.target.value.toLowerCase().split(/\s+/).filter(word => word);
      showTable();
      clearTimeout(waiting);
      waiting = setTimeout(update, 120);
    });
    $('with-intervals').addEventListener('change', event => document.body.classList.toggle('intervals', event.target.checked));
    $('theme').addEventListener('change', event => {
      if (event.target.value === 'auto') document.documentElement.removeAttribute('data-theme');
      else document.documentElement.dataset.theme = event.target.value;
    });
    $('all-conditions').addEventListener('click', () => {
      state.hidden.clear();
      fillConditions();
      showTable();
      update();
    });
    $('no-conditions').addEventListener('click', () => {
      table().conditions.forEach(condition => state.hidden.add(condition));
      fillConditions();
      showTable();
      update();
    });
    document.addEventListener('keydown', event => {
      const open = document.querySelector('details.pick[open]');
      if (event.key === 'Escape' && open) {
        open.open = false;
        open.querySelector('summary').focus();
      }
    });
  };

  // ---- differences ----

  // Of the comparisons' numbers: see page_data.h.
  let differencesOf = 'clean';
  const differenceConditions = () => [...new Set(table().comparisons.map(item => item[2]))];
  const differencePick = select('condition', [], value => {
    differencesOf = value;
    refreshDifferences();
  });
  const fillDifferences = () => {
    const names = differenceConditions();
    differencesOf = names.includes(differencesOf) ? differencesOf : names[0];
    differencePick.control.replaceChildren(...names.map(name => html('option', {value: name}, name)));
    differencePick.control.value = differencesOf;
  };
  const P_SURE = 0.05;
  const pText = p => (!isNumber(p) ? '\u2013' : p < 0.001 ? '<0.001' : p.toFixed(3));
  const sure = p => isNumber(p) && p < P_SURE;
  const MOST_DIFFERENCES = 60;
  const drawDifferences = () => {
    const lines = new Set(shownLines());
    const name = l => table().lines[l].architecture;
    const chosen = table().comparisons.filter(([a, b, condition]) => condition === differencesOf && lines.has(a) && lines.has(b));
    const rows = [['a', 'b', 'condition', 'metric', 'difference', 'low', 'high', 'p_value', 'p_holm', 'seed_error', 'reason']];
    for (const [a, b, condition, ...numbers] of chosen) rows.push([name(a), name(b), condition, table().metric, ...numbers]);
    const drawable = chosen.filter(item => isNumber(item[3]));
    if (!drawable.length) return {say: 'Nothing to show: no two architectures with scores for this choice.'};
    drawable.sort((x, y) => (sure(y[7]) - sure(x[7])) || Math.abs(y[3]) - Math.abs(x[3]));
    const shown = drawable.slice(0, MOST_DIFFERENCES);
    const left = 30 + Math.min(640, Math.max(...shown.map(([a, b]) => name(a).length + name(b).length + 3)) * 7.4);
    const box = {left, right: left + 440, top: 12, bottom: 12 + shown.length * 22};
    const ends = shown.flatMap(item => [item[3], item[4], item[5]]).filter(isNumber).concat([0]);
    const room = (Math.max(...ends) - Math.min(...ends) || 0.01) * 0.05;
    const low = Math.min(...ends) - room;
    const high = Math.max(...ends) + room;
    const x = v => box.left + (v - low) / (high - low) * (box.right - box.left);
    const root = frame(box.right + 150, box.bottom + 48, `Differences in ${metricName()}, ${differencesOf}`);
    root.append(svg('line', {x1: x(0), x2: x(0), y1: box.top, y2: box.bottom, stroke: 'currentColor', 'stroke-dasharray': '4 3'}));
    const ticks = niceTicks(low, high, 6);
    axisX(root, box, x, ticks, `A minus B, ${metricName()}`, tickText(ticks));
    shown.forEach(([a, b, , difference, from, to, p, q, seeds], i) => {
      const y = box.top + i * 22 + 11;
      const names = `${name(a)} \u2212 ${name(b)}`;
      const told = `${names}: ${text(difference)}` + (isNumber(from) ? ` [${text(from)}, ${text(to)}]` : '') + `, p ${pText(p)}, after Holm ${pText(q)}` +
                   (isNumber(seeds) ? `, \u00b1 ${text(seeds)} over seeds` : '');
      root.append(label(box.left - 8, y + 4, [cut(names, 62), svg('title', {}, told)], {'text-anchor': 'end', 'font-weight': sure(q) ? 700 : 400}));
      if (isNumber(from)) root.append(svg('line', {x1: x(from), x2: x(to), y1: y, y2: y, stroke: 'currentColor', 'stroke-width': sure(q) ? 2.5 : 1.2}));
      // Filled: surely different; open: not.
      root.append(svg('circle', {cx: x(difference), cy: y, r: 4.5, fill: sure(q) ? COLOURS[0] : 'none', stroke: sure(q) ? COLOURS[0] : 'currentColor', 'stroke-width': 1.5},
                      svg('title', {}, told)));
      root.append(label(box.right + 12, y + 4, `p ${pText(q)}${sure(q) ? ' *' : ''}`, {'font-size': 11}));
    });
    if (drawable.length > shown.length) root.append(label(box.left, box.bottom + 46, `${drawable.length - shown.length} pairs more in the CSV`, {'font-size': 11}));
    return {svg: root, rows};
  };

  // ---- robustness ----

  let robustnessBy = 'architecture';
  let fromZero = false;
  const drawRobustness = () => {
    const lines = shownLines();
    const conditions = shownConditions();
    const values = [];
    for (const l of lines) for (const c of conditions) values.push(table().lines[l].values[c]);
    const means = values.filter(v => isNumber(v.mean)).flatMap(v => [v.mean, isNumber(v.low) ? v.low : v.mean]);
    if (!means.length) return {say: 'Nothing to show: no values for this choice.'};
    const byArchitecture = robustnessBy === 'architecture';
    const groups = byArchitecture ? lines : conditions;
    const bars = byArchitecture ? conditions : lines;
    const groupName = i => (byArchitecture ? table().lines[i].architecture : table().conditions[i]);
    const barName = i => (byArchitecture ? table().conditions[i] : table().lines[i].architecture);
    const cell = (g, b) => (byArchitecture ? table().lines[g].values[b] : table().lines[b].values[g]);
    const barWidth = Math.max(3, Math.min(22, 900 / (groups.length * (bars.length + 1.5))));
    const groupWidth = Math.max(barWidth * (bars.length + 1.5), 26);
    const tilt = groups.some(g => groupName(g).length * 6.8 > groupWidth);
    const left = tilt ? 150 : 64;  // a tilted name ends below its bars and begins to the left of them
    const width = Math.max(960, left + 16 + groups.length * groupWidth);
    const names = bars.map(barName);
    const bottomSpace = tilt ? 140 : 30;
    const box = {left, right: width - 12, top: 30, bottom: 350};
    const highest = Math.max(...values.filter(v => isNumber(v.mean)).flatMap(v => [v.mean, isNumber(v.high) ? v.high : v.mean]));
    const low = fromZero ? 0 : Math.max(0, Math.floor((Math.min(...means) - 0.02) * 20) / 20);
    const high = highest + (highest - low) * 0.03;
    const y = v => box.bottom - (v - low) / (high - low || 1) * (box.bottom - box.top);
    const height = box.bottom + bottomSpace + legendHeight(width - 80, names) + 10;
    const root = frame(width, height, `${metricName()} by ${byArchitecture ? 'architecture and condition' : 'condition and architecture'}`);
    root.append(hatchDefinitions(bars.length, 'hatch-robustness'));
    axisY(root, box, y, niceTicks(low, high, 7), metricName());
    const rows = [['architecture', 'condition', 'metric', 'mean', 'deviation', 'low', 'high', 'n']];
    groups.forEach((g, gi) => {
      const x0 = box.left + gi * groupWidth + barWidth * 0.75;
      bars.forEach((b, bi) => {
        const v = cell(g, b);
        rows.push([byArchitecture ? groupName(g) : barName(b), byArchitecture ? barName(b) : groupName(g), table().metric, v.mean, v.deviation, v.low, v.high, v.n]);
        if (!isNumber(v.mean)) return;
        const x = x0 + bi * barWidth;
        const interval = isNumber(v.low) ? ` [${text(v.low)}, ${text(v.high)}]` : '';
        root.append(svg('rect', {x, y: y(v.mean), width: barWidth * 0.9, height: Math.max(0, box.bottom - y(v.mean)), fill: fillOf(bi, 'hatch-robustness')},
                        svg('title', {}, `${groupName(g)}, ${barName(b)}: ${text(v.mean)}${interval}`)));
        if (isNumber(v.low)) {
          root.append(svg('line', {x1: x + barWidth * 0.45, x2: x + barWidth * 0.45, y1: y(Math.max(v.low, low)), y2: y(v.high), stroke: 'currentColor', 'stroke-width': 1}));
        }
      });
      const centre = x0 + barWidth * bars.length / 2;
      const name = [cut(groupName(g), 24), svg('title', {}, groupName(g))];
      root.append(tilt ? label(centre, box.bottom + 14, name, {'text-anchor': 'end', transform: `rotate(-38 ${centre} ${box.bottom + 14})`})
                       : label(centre, box.bottom + 18, name, {'text-anchor': 'middle'}));
    });
    root.append(svg('line', {x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom, stroke: 'currentColor'}));
    if (low > 0) root.append(label(box.left + 4, box.top - 14, `axis starts at ${low.toFixed(2)}`, {'font-size': 11, 'fill-opacity': 0.7}));
    legend(root, box.left, box.bottom + bottomSpace, width - 80, names,
           (i, x, yy) => svg('rect', {x, y: yy, width: 20, height: 12, fill: fillOf(i, 'hatch-robustness')}));
    return {svg: root, rows};
  };

  // ---- severity ----

  const families = () => {
    const found = new Map();
    table().conditions.forEach((condition, place) => {
      if (condition.includes('[')) return;
      // Steps of a perturbation's ladder: "mp3@3".
      const step = /^([^:@]+)@(\d+)(:.*)?$/.exec(condition);
      if (step) {
        const name = `${step[1]} by step of severity` + (step[3] ? ` (${step[3].slice(1)})` : '');
        if (!found.has(name)) found.set(name, []);
        found.get(name).push({place, value: Number(step[2]), raw: step[2]});
        return;
      }
      const colon = condition.indexOf(':');
      if (colon < 0) return;
      const options = condition.slice(colon + 1).split(',').map(option => option.split('='));
      options.forEach(([key, raw], i) => {
        const power = /^([-\d.]+)\^([-\d.]+)$/.exec(raw || '');
        const value = power ? Math.pow(Number(power[1]), Number(power[2])) : Number(raw);
        if (raw === undefined || raw === '' || !Number.isFinite(value)) return;
        const others = options.filter((_, j) => j !== i).map(option => option.join('='));
        const name = `${condition.slice(0, colon)} by ${key}` + (others.length ? ` (${others.join(', ')})` : '');
        if (!found.has(name)) found.set(name, []);
        found.get(name).push({place, value, raw});
      });
    });
    // Values below zero (gain in dB) grow away from it.
    const sorted = members => members.sort(
        members.every(member => member.value <= 0) ? (a, b) => b.value - a.value : (a, b) => a.value - b.value);
    return [...found].filter(([, members]) => members.length > 1).map(([name, members]) => ({name, members: sorted(members)}));
  };
  let family = 0;
  const familyPick = select('perturbation', [], value => {
    family = Number(value);
    refreshSeverity();
  });
  const fillFamilies = () => {
    family = 0;
    familyPick.control.replaceChildren(...families().map((entry, i) => html('option', {value: i}, entry.name)));
  };
  const drawSeverity = () => {
    const all = families();
    const chosen = all[family];
    if (!chosen) return {say: 'No perturbation of this run has two or more severities.'};
    const lines = shownLines();
    const clean = table().conditions.indexOf('clean');
    const points = (clean >= 0 ? [{place: clean, raw: 'clean', value: 0}] : []).concat(chosen.members);
    // Of a parameter with both signs, clean is in the middle.
    if (points.some(p => p.value < 0) && points.some(p => p.value > 0)) points.sort((a, b) => a.value - b.value);
    const names = lines.map(l => table().lines[l].architecture);
    const box = {left: 64, right: 940, top: 14, bottom: 330};
    const values = lines.flatMap(l => points.map(p => table().lines[l].values[p.place].mean)).filter(isNumber);
    if (!values.length) return {say: 'Nothing to show: no values for this choice.'};
    const low = Math.min(...values);
    const high = Math.max(...values);
    const room = (high - low || 0.01) * 0.06;
    const y = v => box.bottom - (v - low + room) / (high - low + 2 * room) * (box.bottom - box.top);
    const x = i => box.left + 40 + i * (box.right - box.left - 80) / Math.max(1, points.length - 1);
    const root = frame(960, box.bottom + 46 + legendHeight(880, names), `${metricName()} by severity of ${chosen.name}`);
    axisY(root, box, y, niceTicks(low - room, high + room, 7), metricName());
    axisX(root, box, x, points.map((_, i) => i), chosen.name, i => points[i].raw);
    const rows = [['architecture', 'condition', 'severity', 'metric', 'mean', 'low', 'high']];
    lines.forEach(l => {
      const drawn = [];
      points.forEach((p, i) => {
        const v = table().lines[l].values[p.place];
        rows.push([table().lines[l].architecture, table().conditions[p.place], p.raw, table().metric, v.mean, v.low, v.high]);
        if (isNumber(v.mean)) drawn.push([x(i), y(v.mean), v, p]);
      });
      root.append(svg('polyline', {points: drawn.map(([px, py]) => `${px},${py}`).join(' '), fill: 'none', stroke: colour(l), 'stroke-width': 2, 'stroke-dasharray': dash(l)}));
      for (const [px, py, v, p] of drawn) {
        const node = marker(l, px, py);
        node.append(svg('title', {}, `${table().lines[l].architecture}, ${p.raw}: ${text(v.mean)}`));
        root.append(node);
      }
    });
    legend(root, box.left, box.bottom + 46, 880, names, lineSwatch(lines));
    return {svg: root, rows};
  };

  // ---- accuracy against throughput ----

  const drawPareto = () => {
    const clean = Math.max(0, table().conditions.indexOf('clean'));
    const points = shownLines().map(l => ({l, line: table().lines[l], x: table().lines[l].clips_per_s, y: table().lines[l].values[clean].mean}))
                       .filter(p => isNumber(p.x) && p.x > 0 && isNumber(p.y));
    if (!points.length) return {say: 'No architecture has both a value and a valid speed.'};
    const smaller = table().metric === 'log_loss';
    const better = (a, b) => (smaller ? a <= b : a >= b);
    for (const p of points) {
      p.front = !points.some(q => q !== p && q.x >= p.x && better(q.y, p.y) && (q.x > p.x || q.y !== p.y));
    }
    const box = {left: 64, right: 940, top: 20, bottom: 380};
    const xs = points.map(p => p.x);
    const ys = points.map(p => p.y);
    const xLow = Math.min(...xs) / 1.4;
    const xHigh = Math.max(...xs) * 1.6;
    const room = (Math.max(...ys) - Math.min(...ys) || 0.02) * 0.12;
    const yLow = Math.min(...ys) - room;
    const yHigh = Math.max(...ys) + room;
    const x = v => box.left + Math.log(v / xLow) / Math.log(xHigh / xLow) * (box.right - box.left);
    const y = v => box.bottom - (v - yLow) / (yHigh - yLow) * (box.bottom - box.top);
    const many = points.length > 12;
    const names = points.map((p, i) => (many ? `${i + 1} ${p.line.architecture}` : p.line.architecture));
    const root = frame(960, box.bottom + 50 + legendHeight(880, names), `${metricName()} against clips per second`);
    axisY(root, box, y, niceTicks(yLow, yHigh, 8), `${metricName()}, ${table().conditions[clean]}`);
    axisX(root, box, x, logTicks(xLow, xHigh), 'clips per second (logarithmic)');
    const front = points.filter(p => p.front).sort((a, b) => a.x - b.x);
    root.append(svg('polyline', {points: front.map(p => `${x(p.x)},${y(p.y)}`).join(' '), fill: 'none', stroke: 'currentColor', 'stroke-width': 1.5, 'stroke-dasharray': '5 4'}));
    const rows = [['architecture', 'metric', 'value', 'clips_per_s', 'parameters', 'on_front']];
    points.forEach((p, i) => {
      rows.push([p.line.architecture, table().metric, p.y, p.x, p.line.parameters, p.front]);
      const node = marker(p.l, x(p.x), y(p.y), p.front ? 7 : 5, {});
      node.append(svg('title', {}, `${p.line.architecture}: ${text(p.y)}, ${rate(p.x)} clips/s${p.front ? ', on the Pareto front' : ''}`));
      root.append(node);
      const shown = many && !p.front ? String(i + 1) : many ? `${i + 1} ${cut(p.line.architecture, 22)}` : cut(p.line.architecture, 26);
      root.append(label(x(p.x) + 10, y(p.y) - 8, shown, {'font-weight': p.front ? 700 : 400}));
    });
    legend(root, box.left, box.bottom + 48, 880, names, (i, xx, yy) => marker(points[i].l, xx + 11, yy + 6));
    return {svg: root, rows};
  };

  // ---- tags ----

  const tagMetric = () => (table().metric === 'average_precision' ? 'average_precision' : 'roc_auc');
  const tagValue = (l, c, t) => {
    const value = group().tagValues[tagMetric()][l][c];
    return value === null || value === undefined ? null : value[t];
  };
  const heat = {columns: 'architectures', condition: 0, line: 0, order: 'name', show: 'value'};
  const heatOf = (name, key, options) => {
    const pick = select(name, options, value => {
      heat[key] = key === 'condition' || key === 'line' ? Number(value) : value;
      refreshHeat();
    });
    return pick;
  };
  const heatColumns = heatOf('columns', 'columns', [['architectures', 'architectures, under one condition'], ['conditions', 'conditions, of one architecture']]);
  const heatCondition = heatOf('condition', 'condition', []);
  const heatLine = heatOf('architecture', 'line', []);
  const heatOrder = heatOf('order of tags', 'order', [['name', 'name'], ['support', 'positives'], ['mean', 'mean value'], ['spread', 'spread']]);
  const heatShow = heatOf('shown', 'show', [['value', 'value'], ['drop', 'drop from clean']]);
  const fillHeatChoices = () => {
    heat.condition = 0;
    heat.line = 0;
    heatCondition.control.replaceChildren(...table().conditions.map((name, i) => html('option', {value: i}, name)));
    heatLine.control.replaceChildren(...table().lines.map((line, i) => html('option', {value: i}, line.architecture)));
  };
  // From dark blue to yellow, lightness rising evenly (after viridis).
  const STOPS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  const shade = share => {
    const place = Math.min(0.9999, Math.max(0, share)) * (STOPS.length - 1);
    const i = Math.floor(place);
    return STOPS[i].map((v, k) => Math.round(v + (place - i) * (STOPS[i + 1][k] - v)));
  };
  const drawHeat = () => {
    const tags = group().tags;
    if (!tags.length) return {say: 'No values of single tags are stored.'};
    const clean = table().conditions.indexOf('clean');
    const byArchitecture = heat.columns === 'architectures';
    const columns = byArchitecture ? shownLines() : shownConditions();
    if (!columns.length) return {say: 'Nothing to show: no values for this choice.'};
    const columnName = i => (byArchitecture ? table().lines[i].architecture : table().conditions[i]);
    const raw = (column, t) => (byArchitecture ? tagValue(column, heat.condition, t) : tagValue(heat.line, column, t));
    const reference = (column, t) => (byArchitecture ? tagValue(column, clean, t) : tagValue(heat.line, clean, t));
    const value = (column, t) => {
      const v = raw(column, t);
      if (heat.show === 'value' || !isNumber(v)) return v;
      const r = clean < 0 ? null : reference(column, t);
      return isNumber(r) ? r - v : null;
    };
    const list = t => columns.map(column => value(column, t)).filter(isNumber);
    const mean = t => {
      const v = list(t);
      return v.length ? v.reduce((a, b) => a + b, 0) / v.length : -Infinity;
    };
    const orders = {name: (a, b) => tags[a].localeCompare(tags[b]), support: (a, b) => group().support[b] - group().support[a], mean: (a, b) => mean(b) - mean(a),
                    spread: (a, b) => Math.max(...list(b)) - Math.min(...list(b)) - (Math.max(...list(a)) - Math.min(...list(a)))};
    const order = tags.map((_, t) => t).sort(orders[heat.order]);
    const all = order.flatMap(list);
    if (!all.length) return {say: 'Nothing to show: no values for this choice.'};
    const low = Math.min(...all);
    const high = Math.max(...all);
    const cellWidth = columns.length > 24 ? 30 : 44;
    const cellHeight = 18;
    const left = 12 + Math.min(220, Math.max(...tags.map(tag => cut(tag, 30).length)) * 6.8);
    const top = 20 + Math.min(130, Math.max(...columns.map(c => cut(columnName(c), 26).length)) * 4.9);
    const width = left + columns.length * cellWidth + 110;
    const height = top + order.length * cellHeight + 40;
    const root = frame(Math.max(width, 420), height, `${metricName()} of every tag`);
    root.setAttribute('role', 'group');
    const rows = [['tag', 'positives', byArchitecture ? 'architecture' : 'condition', tagMetric(), 'drop_from_clean']];
    columns.forEach((column, i) => {
      const x = left + i * cellWidth + cellWidth / 2;
      root.append(label(x, top - 6, [cut(columnName(column), 26), svg('title', {}, columnName(column))], {transform: `rotate(-45 ${x} ${top - 6})`, 'font-size': 11}));
    });
    order.forEach((t, r) => {
      const y = top + r * cellHeight;
      root.append(label(left - 6, y + 13, [cut(tags[t], 30), svg('title', {}, tags[t])], {'text-anchor': 'end', 'font-size': 11}));
      columns.forEach((column, i) => {
        const v = value(column, t);
        const original = raw(column, t);
        const difference = clean < 0 || !isNumber(reference(column, t)) || !isNumber(original) ? null : reference(column, t) - original;
        rows.push([tags[t], group().support[t], columnName(column), original, difference]);
        const rgb = isNumber(v) ? shade((v - low) / (high - low || 1)) : null;
        const dark = rgb && rgb[0] * 0.3 + rgb[1] * 0.59 + rgb[2] * 0.11 < 130;
        const node = svg('g', {class: 'cell', tabindex: r === 0 && i === 0 ? 0 : -1, role: 'button', 'data-row': r, 'data-column': i,
                               'aria-label': `${tags[t]}, ${columnName(column)}: ${text(v, 3)}`,
                               onclick: () => openTag(t, true)}, [
          svg('rect', {x: left + i * cellWidth, y, width: cellWidth - 1, height: cellHeight - 1, fill: rgb ? `rgb(${rgb.join(',')})` : 'none', stroke: rgb ? 'none' : 'currentColor', 'stroke-opacity': 0.4}),
          label(left + i * cellWidth + cellWidth / 2, y + 13, isNumber(v) ? v.toFixed(2).replace(/^(-?)0\./, '$1.') : '\u2013',
                {'text-anchor': 'middle', 'font-size': 10, fill: !rgb ? 'currentColor' : dark ? '#fff' : '#000'}),
          svg('title', {}, `${tags[t]}, ${columnName(column)}: ${text(v)} (${group().support[t]} positives)`)]);
        root.append(node);
      });
    });
    for (let i = 0; i < 40; ++i) {
      root.append(svg('rect', {x: left + i * 5, y: height - 24, width: 5, height: 10, fill: `rgb(${shade(i / 39).join(',')})`}));
    }
    root.append(label(left, height - 2, text(low, 3), {'font-size': 11}));
    root.append(label(left + 200, height - 2, text(high, 3), {'font-size': 11, 'text-anchor': 'end'}));
    root.addEventListener('keydown', event => {
      const cell = event.target.closest('.cell');
      if (!cell) return;
      const steps = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1]};
      if (event.key === 'Enter' || event.key === ' ') {
        event.preventDefault();
        openTag(order[Number(cell.dataset.row)], true);
      } else if (steps[event.key]) {
        event.preventDefault();
        const next = root.querySelector(`[data-row="${Number(cell.dataset.row) + steps[event.key][0]}"][data-column="${Number(cell.dataset.column) + steps[event.key][1]}"]`);
        if (!next) return;
        cell.setAttribute('tabindex', -1);
        next.setAttribute('tabindex', 0);
        next.focus();
      }
    });
    return {svg: root, rows};
  };

  const tagPick = select('tag', [], value => openTag(Number(value), false));
  const fillTags = () => tagPick.control.replaceChildren(...group().tags.map((tag, i) => html('option', {value: i}, tag)));
  const openTag = (t, move) => {
    state.tag = t;
    tagPick.control.value = String(t);
    refreshTag();
    refreshRoc();
    refreshPr();
    if (move) {
      $('tag').scrollIntoView({block: 'start'});
      tagPick.control.focus({preventScroll: true});
    }
  };
  const tagTable = html('div', {class: 'scroll'});
  const tagFacts = html('p', {class: 'facts'});
  const refreshTag = () => {
    const t = state.tag;
    const g = group();
    if (!g.tags.length) return;
    tagFacts.textContent = `${g.tags[t]}: ${g.support[t]} positives among ${g.known[t]} known labels` + (g.splits.length > 1 ? ' (first fold)' : '') + `. Values: ${tagMetric()}.`;
    const conditions = shownConditions();
    // Stored with the table of ROC-AUC, whichever metric is shown.
    const source = D.tables.find(other => other.group === table().group && other.tag_estimates.length);
    const intervals = new Map((source ? source.tag_estimates : []).filter(([, tag]) => tag === t).map(([l, , low, high]) => [l, `[${text(low)}, ${text(high)}]`]));
    const extra = source ? ['ROC-AUC clean: 95 % interval (DeLong)'] : [];
    const head = html('tr', {}, ['architecture', ...conditions.map(c => table().conditions[c]), ...extra].map(name => html('th', {scope: 'col'}, name)));
    const body = shownLines().map(l => html('tr', {}, [html('th', {scope: 'row'}, table().lines[l].architecture),
                                                       ...conditions.map(c => html('td', {}, text(tagValue(l, c, t)))),
                                                       ...extra.map(() => html('td', {}, intervals.get(l) || '\u2013'))]));
    const tables = [html('table', {}, [html('caption', {}, g.tags[t]), html('thead', {}, head), html('tbody', {}, body)])];
    const lines = new Set(shownLines());
    const pairs = source ? source.tag_comparisons.filter(([a, b, tag]) => tag === t && lines.has(a) && lines.has(b)) : [];
    if (pairs.length) {
      pairs.sort((x, y) => (isNumber(y[3]) - isNumber(x[3])) || (sure(y[7]) - sure(x[7])) || Math.abs(y[3]) - Math.abs(x[3]));
      const name = l => table().lines[l].architecture;
      tables.push(html('table', {id: 'tag-pairs'}, [
        html('caption', {}, `${g.tags[t]}: differences in ROC-AUC, clean (DeLong; p after Benjamini-Hochberg over tags)`),
        html('thead', {}, html('tr', {}, ['A', 'B', 'A \u2212 B', '95 % interval', 'p', 'p adjusted', ''].map(title => html('th', {scope: 'col'}, title)))),
        html('tbody', {}, pairs.slice(0, MOST_DIFFERENCES).map(([a, b, , difference, from, to, p, q]) => html('tr', {}, [
          html('th', {scope: 'row'}, name(a)), html('td', {}, name(b)), html('td', {}, text(difference)),
          html('td', {}, isNumber(from) ? `[${text(from)}, ${text(to)}]` : '\u2013'), html('td', {}, pText(p)), html('td', {}, pText(q)),
          html('td', {}, !sure(q) ? '' : difference > 0 ? 'A higher' : 'B higher')])))]));
    }
    tagTable.replaceChildren(...tables);
  };
  // Curves are stored in thousandths.
  const drawCurves = kind => () => {
    const curves = group().curves;
    const t = state.tag;
    if (!curves) return {say: 'No curves are stored for this table: its scores are missing or too many.'};
    const lines = shownLines().filter(l => curves[l] && curves[l][t] && curves[l][t][kind]);
    if (!lines.length) return {say: 'No curve: the tag has one class only, or scores are missing.'};
    const names = lines.map(l => table().lines[l].architecture);
    const box = {left: 60, right: 460, top: 14, bottom: 414};
    const x = v => box.left + v * (box.right - box.left);
    const y = v => box.bottom - v * (box.bottom - box.top);
    const title = kind === 'roc' ? 'ROC' : 'precision and recall';
    const root = frame(480, box.bottom + 46 + legendHeight(400, names), `${title} of ${group().tags[t]}, ${group().curveCondition}`);
    const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1];
    axisY(root, box, y, ticks, kind === 'roc' ? 'true positive rate' : 'precision');
    axisX(root, box, x, ticks, kind === 'roc' ? 'false positive rate' : 'recall');
    const rows = [['tag', 'architecture', kind === 'roc' ? 'false_positive_rate' : 'recall', kind === 'roc' ? 'true_positive_rate' : 'precision']];
    if (kind === 'roc') root.append(svg('line', {x1: x(0), y1: y(0), x2: x(1), y2: y(1), stroke: 'currentColor', 'stroke-opacity': 0.4, 'stroke-dasharray': '3 3'}));
    for (const l of lines) {
      const [xs, ys] = curves[l][t][kind];
      const points = xs.map((v, i) => [v / 1000, ys[i] / 1000]);
      for (const [px, py] of points) rows.push([group().tags[t], table().lines[l].architecture, px, py]);
      root.append(svg('polyline', {points: points.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(' '), fill: 'none', stroke: colour(l), 'stroke-width': 1.8, 'stroke-dasharray': dash(l)},
                      svg('title', {}, table().lines[l].architecture)));
      const middle = points[Math.floor(points.length / 2)];
      root.append(marker(l, x(middle[0]), y(middle[1])));
    }
    legend(root, box.left, box.bottom + 46, 400, names, lineSwatch(lines));
    return {svg: root, rows};
  };

  // ---- training ----

  let quantity = 'valid_loss';
  const QUANTITIES = [['valid_loss', 'validation loss'], ['train_loss', 'training loss'], ['valid_roc_auc', 'validation ROC-AUC'],
                      ['valid_average_precision', 'validation PR-AUC'], ['learning_rate', 'learning rate']];
  const quantityPick = select('quantity', QUANTITIES, value => {
    quantity = value;
    refreshTraining();
  });
  const drawTraining = () => {
    const shown = new Set(shownLines().map(l => table().lines[l].architecture));
    const runs = group().training.filter(run => shown.has(run.label) && run[quantity] && run[quantity].some(isNumber));
    if (!runs.length) return {say: 'No training is stored for this choice (weights were given, or another quantity was logged).'};
    const labels = [...new Set(runs.map(run => run.label))];
    const box = {left: 70, right: 940, top: 14, bottom: 330};
    const values = runs.flatMap(run => run[quantity]).filter(isNumber);
    const epochs = Math.max(...runs.flatMap(run => run.epoch));
    const log = quantity === 'learning_rate' && Math.min(...values) > 0;
    const low = Math.min(...values);
    const high = Math.max(...values);
    const room = (high - low || Math.abs(high) || 1) * 0.05;
    const y = log ? v => box.bottom - Math.log(v / (low / 1.2)) / Math.log(high * 1.2 / (low / 1.2)) * (box.bottom - box.top)
                  : v => box.bottom - (v - low + room) / (high - low + 2 * room) * (box.bottom - box.top);
    const x = e => box.left + (e - 1) / Math.max(1, epochs - 1) * (box.right - box.left);
    const name = QUANTITIES.find(([key]) => key === quantity)[1];
    const root = frame(960, box.bottom + 46 + legendHeight(880, labels), `${name} by epoch`);
    axisY(root, box, y, log ? logTicks(low, high) : niceTicks(low - room, high + room, 7), name, log ? String : null);
    axisX(root, box, x, niceTicks(1, epochs, 10).filter(e => Number.isInteger(e)), 'epoch');
    const rows = [['architecture', 'split', 'seed', 'epoch', quantity]];
    for (const run of runs) {
      const i = labels.indexOf(run.label);
      const points = [];
      run.epoch.forEach((e, k) => {
        rows.push([run.label, run.split, run.seed, e, run[quantity][k]]);
        if (isNumber(run[quantity][k])) points.push([x(e), y(run[quantity][k])]);
      });
      root.append(svg('polyline', {points: points.map(p => p.map(v => v.toFixed(1)).join(',')).join(' '), fill: 'none', stroke: colour(i), 'stroke-width': 1.5, 'stroke-dasharray': dash(i)},
                      svg('title', {}, `${run.label}, ${run.split}, seed ${run.seed}`)));
      if (points.length) root.append(marker(i, ...points[points.length - 1]));
    }
    legend(root, box.left, box.bottom + 46, 880, labels, lineSwatch(labels.map((_, i) => i)));
    return {svg: root, rows};
  };

  // ---- set up ----

  let refreshDifferences, refreshSeverity, refreshHeat, refreshRoc, refreshPr, refreshTraining;
  if (D.tables.length) {
    refreshDifferences = figure('differences', 'differences', 'A minus B on the same tracks with its 95 % interval; filled points and bold names: surely different (p after Holm below 0.05).',
                                [differencePick.node], drawDifferences);
    const by = select('groups', [['architecture', 'architectures'], ['condition', 'conditions']], value => {
      robustnessBy = value;
      refreshRobustness();
    });
    const zero = html('input', {type: 'checkbox', onchange: () => {
      fromZero = zero.checked;
      refreshRobustness();
    }});
    const refreshRobustness = figure('robustness', 'robustness', 'Each architecture under each condition; whiskers are 95 % intervals over tracks. The filter and the choice of conditions above hold here too.',
                                     [by.node, html('label', {class: 'check'}, [zero, 'axis from 0'])], drawRobustness);
    refreshSeverity = figure('severity', 'severity', 'One perturbation at rising parameter values, the clean value first, or between values of both signs.', [familyPick.node], drawSeverity);
    figure('pareto', 'accuracy-throughput', 'Systems that no other one beats in both stand on the dashed line, larger and bold.', [], drawPareto);
    refreshHeat = figure('heat', 'tags', 'Choose a cell (mouse, or arrow keys and Enter) to open its tag below.',
                         [heatColumns.node, heatCondition.node, heatLine.node, heatShow.node, heatOrder.node], drawHeat);
    $('tag').append(tagPick.node, tagFacts, tagTable, html('div', {class: 'pair', id: 'curves'}));
    figures.push(refreshTag);
    refreshRoc = figure('curves', 'roc', 'Receiver operating characteristic.', [], drawCurves('roc'));
    refreshPr = figure('curves', 'precision-recall', 'Precision against recall.', [], drawCurves('pr'));
    refreshTraining = figure('training', 'training', 'One line per training; seeds and folds of an architecture share its colour.', [quantityPick.node], drawTraining);
    setUpControls();
    fillConditions();
    fillTags();
    fillHeatChoices();
    fillFamilies();
    fillDifferences();
    showTable();
    update();
  }
  window.addEventListener('beforeprint', () => document.querySelectorAll('details:not(.pick)').forEach(node => {
    node.open = true;
  }));
})();
