const LABEL_OF_NO_FRAME = 0;
const WIDENINGS = 2;
const BEAM_DELTA = 0.5; // nats; Kaldi's

/**
 * A decoding graph in arrays. Its arcs lie by the state they leave; `labels` are senone + 1, and 0 on arcs that carry
 * words to the end without hearing a frame, which lead to states that have no arcs.
 *
 * @typedef {object} Graph
 * @property {number} start
 * @property {Uint32Array} begin (states + 1,) where the arcs of each state begin
 * @property {TypedArray} labels (arcs,)
 * @property {TypedArray} outputs (arcs,) 0: no word
 * @property {TypedArray} targets (arcs,)
 * @property {Float32Array} costs (arcs,) nats
 * @property {Float32Array} ends (states,) cost of ending; infinite: not an end
 */

/** The search of one utterance, with all scores that it has heard. */
export class Search {
  /**
   * @param {Graph} graph
   * @param {{beam: number, least: number, most: number}} beams nats, and how many states are active at least and most
   */
  constructor(graph, beams) {
    this.graph = graph;
    this.beams = beams;
    this.scores = [];
    this.decoder = new Decoder(graph, beams);
  }

  /** @param {Float32Array} scores (senones,) of the next frame, nats */
  hear(scores) {
    this.scores.push(scores);
    this.decoder.hear(scores);
  }

  /** @returns {?Path} the best path to an end, as Kaldi's decoder tells it; where there is none, to anywhere */
  soFar() {
    if (!this.scores.length) return { labels: [], outputs: [] };
    return this.decoder.best(true) ?? this.decoder.best(false);
  }

  /** @returns {?Path} the best path to an end; where there is none the beams are doubled, twice; null: still none */
  finish() {
    if (!this.scores.length) return { labels: [], outputs: [] };
    let { beam, most } = this.beams;
    for (let time = 0; time < WIDENINGS && !this.decoder.best(true); time++) {
      [beam, most] = [2 * beam, 2 * most];
      this.decoder = new Decoder(this.graph, { ...this.beams, beam, most });
      for (const scores of this.scores) this.decoder.hear(scores);
    }
    return this.decoder.best(true);
  }
}

/**
 * Viterbi search by tokens within a beam: Kaldi's FasterDecoder, so that what it prunes is pruned here.
 *
 * @typedef {{labels: number[], outputs: number[]}} Path senone of each frame, and outputs of the graph's arcs
 */
class Decoder {
  constructor(graph, beams) {
    this.graph = graph;
    this.beams = beams;
    this.place = new Int32Array(graph.ends.length).fill(-1); // of each active state among the tokens
    this.history = new History();
    this.tokens = new Tokens();
    this.#reach(graph.start, 0, -1, -1);
    this.#endWithWords(Infinity);
    this.#remember();
  }

  /** @param {Float32Array} scores (senones,) */
  hear(scores) {
    const { labels, costs, targets, begin } = this.graph;
    const before = this.tokens;
    const { cutoff, beam, best } = limits(before, this.beams);
    for (let i = 0; i < before.count; i++) this.place[before.states[i]] = -1;
    this.tokens = new Tokens();
    const expanded = (token, visit) => {
      const state = before.states[token];
      for (let arc = begin[state]; arc < begin[state + 1]; arc++) {
        if (labels[arc] !== LABEL_OF_NO_FRAME) visit(arc, before.costs[token] + costs[arc] - scores[labels[arc] - 1]);
      }
    };
    let limit = Infinity; // of the costs after this frame; the best token gives a good first guess
    if (best >= 0) expanded(best, (_, cost) => (limit = Math.min(limit, cost + beam)));
    for (let token = 0; token < before.count; token++) {
      if (!(before.costs[token] < cutoff)) continue;
      expanded(token, (arc, cost) => {
        if (!(cost < limit)) return;
        this.#reach(targets[arc], cost, before.traces[token], arc);
        limit = Math.min(limit, cost + beam);
      });
    }
    this.#endWithWords(limit);
    this.#remember();
  }

  /**
   * @param {boolean} ended whether it has to be at an end
   * @returns {?Path} null: there is none
   */
  best(ended) {
    const { tokens, graph } = this;
    let found = -1;
    let least = Infinity;
    for (let token = 0; token < tokens.count; token++) {
      const cost = tokens.costs[token] + (ended ? graph.ends[tokens.states[token]] : 0);
      if (cost < least) [found, least] = [token, cost];
    }
    return found < 0 ? null : this.#path(tokens.traces[found]);
  }

  #path(trace) {
    const { labels, outputs } = this.graph;
    const path = { labels: [], outputs: [] };
    for (let at = trace; this.history.arcs[at] >= 0; at = this.history.before[at]) {
      const arc = this.history.arcs[at];
      if (labels[arc] !== LABEL_OF_NO_FRAME) path.labels.push(labels[arc] - 1);
      if (outputs[arc]) path.outputs.push(outputs[arc]);
    }
    path.labels.reverse();
    path.outputs.reverse();
    return path;
  }

  /** A way to a state: it stays if there is none that is as cheap. */
  #reach(state, cost, trace, arc) {
    const { tokens } = this;
    const at = this.place[state];
    if (at < 0) this.place[state] = tokens.add(state, cost, trace, arc);
    else if (cost < tokens.costs[at]) tokens.replace(at, cost, trace, arc);
  }

  /** Arcs that hear no frame; the trace of what goes on from a token of this frame is told by `#remember`. */
  #endWithWords(limit) {
    const { labels, costs, targets, begin } = this.graph;
    const { tokens } = this;
    for (let token = 0, known = tokens.count; token < known; token++) {
      if (tokens.costs[token] > limit) continue;
      const state = tokens.states[token];
      for (let arc = begin[state]; arc < begin[state + 1]; arc++) {
        const cost = tokens.costs[token] + costs[arc];
        if (labels[arc] === LABEL_OF_NO_FRAME && cost <= limit) this.#reach(targets[arc], cost, -2 - token, arc);
      }
    }
  }

  /** Write down how each token came here; those that came from a token of this frame (−2 − it) after the others. */
  #remember() {
    const { tokens, history } = this;
    const at = history.count;
    for (let token = 0; token < tokens.count; token++) {
      const from = tokens.from[token];
      history.add(from < -1 ? at - 2 - from : from, tokens.arcs[token]);
      tokens.traces[token] = at + token;
    }
  }
}

/**
 * Which tokens are followed (Kaldi's GetCutoff).
 *
 * @returns {{cutoff: number, beam: number, best: number}} cost below which a token is, what costs after the frame may
 *   exceed the best one by, and the cheapest token, −1: there is none
 */
function limits(tokens, { beam, least, most }) {
  const costs = tokens.costs.subarray(0, tokens.count);
  let best = -1;
  for (let token = 0; token < costs.length; token++) if (best < 0 || costs[token] < costs[best]) best = token;
  if (costs.length <= least) return { cutoff: Infinity, beam: Infinity, best }; // all of so few
  const cutoff = costs[best] + beam;
  let within = 0;
  for (const cost of costs) if (cost < cutoff) within += 1;
  // The cost of the token at this place, by cost, is the cutoff where the beam would leave too many or too few.
  const place = within > most ? most : least > 0 && within <= least ? least : -1;
  if (place < 0) return { cutoff, beam, best };
  const other = costs.slice().sort()[place];
  return { cutoff: other, beam: Math.fround(other - costs[best] + BEAM_DELTA), best };
}

/** The active states of a frame. */
class Tokens {
  constructor() {
    this.count = 0;
    this.states = new Int32Array(256);
    this.costs = new Float64Array(256);
    this.from = new Int32Array(256); // trace of where it came from
    this.arcs = new Int32Array(256);
    this.traces = new Int32Array(256); // its own, once it has one
  }

  /** @returns {number} its place */
  add(state, cost, from, arc) {
    if (this.count === this.states.length) {
      for (const name of ["states", "costs", "from", "arcs", "traces"]) this[name] = doubled(this[name]);
    }
    this.states[this.count] = state;
    this.replace(this.count, cost, from, arc);
    return this.count++;
  }

  replace(at, cost, from, arc) {
    this.costs[at] = cost;
    this.from[at] = from;
    this.arcs[at] = arc;
  }
}

/** How every token came about: a trace is the number of an arc and of the trace before. */
class History {
  constructor() {
    this.count = 0;
    this.before = new Int32Array(4096);
    this.arcs = new Int32Array(4096);
  }

  add(before, arc) {
    if (this.count === this.arcs.length) for (const name of ["before", "arcs"]) this[name] = doubled(this[name]);
    this.before[this.count] = before;
    this.arcs[this.count++] = arc;
  }
}

function doubled(array) {
  const longer = new array.constructor(2 * array.length);
  longer.set(array);
  return longer;
}
