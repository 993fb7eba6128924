ALTER TABLE oversell_sim_shelf ADD CONSTRAINT oversell_sim_stock_check CHECK (stock >= 0)
