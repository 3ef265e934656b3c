// Uses the page as a reader would and writes what happened, as JSON, into #probe. The test puts it at the page's end.
(async () => {
  const $ = id => document.getElementById(id);
  const found = {errors: window.probeErrors, steps: {}};
  const told = document.createElement('pre');
  told.id = 'probe';
  const wait = ms => new Promise(done => setTimeout(done, ms));
  const change = (control, value) => {
    control.value = value;
    control.dispatchEvent(new Event('input', {bubbles: true}));
    control.dispatchEvent(new Event('change', {bubbles: true}));
  };
  const press = (node, key) => node.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
  try {
    const steps = found.steps;
    const shown = () => document.querySelector('.one-table.shown');
    const rows = () => [...shown().querySelectorAll('tbody tr')];
    const heads = () => [...shown().querySelectorAll('thead th')];
    const values = column => rows().map(row => Number(row.children[column].dataset.value));

    heads()[1].querySelector('button').click();
    steps.descending = {values: values(1), sort: heads()[1].getAttribute('aria-sort')};
    heads()[1].querySelector('button').click();
    steps.ascending = {values: values(1), sort: heads()[1].getAttribute('aria-sort')};
    heads()[0].querySelector('button').click();
    steps.byName = rows().map(row => row.children[0].textContent);

    change($('filter'), 'fcn');
    await wait(400);
    steps.filtered = {rows: rows().filter(row => !row.hidden).map(row => row.children[0].textContent), says: $('shown-count').textContent};
    change($('filter'), '');
    await wait(400);

    const interval = shown().querySelector('.interval');
    const before = getComputedStyle(interval).display;
    $('with-intervals').click();
    steps.intervals = [before, getComputedStyle(interval).display];

    const box = $('condition-list').querySelectorAll('input')[1];
    box.click();
    steps.hiddenColumn = heads()[2].hidden;
    $('all-conditions').click();
    steps.shownAgain = !heads()[2].hidden;

    const cells = [...document.querySelectorAll('#figure-tags .cell')];
    cells[0].focus();
    press(cells[0], 'ArrowDown');
    steps.movedTo = document.activeElement.getAttribute('aria-label');
    press(document.activeElement, 'Enter');
    steps.drilledTo = document.querySelector('#tag caption').textContent;
    steps.tagFocused = document.activeElement.tagName;
    document.querySelector('#figure-tags [data-row="2"][data-column="0"]').dispatchEvent(new MouseEvent('click', {bubbles: true}));
    steps.clickedTo = document.querySelector('#tag caption').textContent;
    steps.tagPairs = document.querySelectorAll('#tag-pairs tbody tr').length;

    change($('pick-table'), '1');
    steps.secondTable = shown().querySelector('caption').textContent;
    steps.sideTables = [...document.querySelectorAll('.side-table.shown')].every(node => node.dataset.table === '1');
    change($('pick-table'), '0');

    const ground = () => getComputedStyle(document.body).backgroundColor;
    change($('theme'), 'light');
    const light = ground();
    change($('theme'), 'dark');
    steps.themes = [light, ground()];
    change($('theme'), 'auto');

    // What the buttons under the figures save. Reading a blob back takes another process, for which the browser's
    // virtual time does not wait; so its parts are kept.
    const blobs = [];
    window.Blob = class extends Blob {
      constructor(parts, options) {
        super(parts, options);
        this.content = parts.join('');
      }
    };
    URL.createObjectURL = blob => {
      blobs.push(blob);
      return 'data:,';
    };
    steps.figures = {};
    for (const figure of document.querySelectorAll('figure')) {
      const entry = {drawn: figure.querySelectorAll('.plot > svg').length, say: (figure.querySelector('.plot .none') || {}).textContent};
      for (const button of figure.querySelectorAll('button.save')) {
        if (button.disabled) continue;
        blobs.length = 0;
        button.click();
        const {content} = blobs[0];
        if (button.textContent === 'SVG') {
          const parsed = new DOMParser().parseFromString(content, 'image/svg+xml');
          entry.svg = parsed.querySelector('parsererror') ? 'damaged' : parsed.documentElement.localName;
        } else {
          const lines = content.trim().split('\n');
          entry.csvRows = lines.length - 1;
          entry.csvHead = lines[0];
        }
      }
      steps.figures[figure.id] = entry;
    }
    // Whatever acts on a click can be reached and named.
    steps.unnamed = [...document.querySelectorAll('button, select, input')].filter(
        node => !(node.labels && node.labels.length) && !node.textContent.trim() && !node.getAttribute('aria-label')).length;
    steps.requests = performance.getEntriesByType('resource').map(entry => entry.name);
  } catch (error) {
    found.errors.push('probe: ' + error.stack);
  }
  told.textContent = JSON.stringify(found);
  document.body.append(told);
})();
